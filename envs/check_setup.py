"""Check that requirements.lock installs on a machine that is not this one: `make check-setup`.

Refuses a pin with a local part (torch==2.13.0+cpu is on no public index). Then a fresh pip,
without configuration files, find-links or extra indexes, resolves the lock against the public
index: nothing may be missing from the lock, and every file it chose must be of a hash listed there.
Metadata alone are fetched. Exit status 1: the lock is wrong; 2: the index was not reached.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from envs import lock

PIP = "pip==26.3"  # fast-deps: of a wheel that has no metadata file, only the end is fetched
UNREACHED = (
    "NewConnectionError", "NameResolutionError", "ConnectTimeout", "ReadTimeout", "ProxyError",
    "SSLError", "Could not fetch URL", "Connection reset", "Network is unreachable",
)  # fmt: skip


class UnreachableError(Exception):
    """The index gave no answer, so nothing is known of the lock."""


def problems(pins: Sequence[lock.Pin]) -> list[str]:
    """What is wrong with the lock by itself."""
    wrong = [
        f"{pin.name}=={pin.version} has a local part, which no public index serves: "
        f"pin {pin.version.partition('+')[0]}"
        for pin in pins
        if "+" in pin.version
    ]
    wrong += [
        f"{pin.name}=={pin.version} has no hash: run make lock" for pin in pins if not pin.hashes
    ]
    return wrong


def differences(pins: Sequence[lock.Pin], report: Mapping[str, Any]) -> list[str]:
    """Where pip's installation report and the lock differ: other packages, versions or files."""
    locked = {pin.name: pin for pin in pins}
    wrong = []
    for entry in report["install"]:
        name = lock.normal(entry["metadata"]["name"])
        version = entry["metadata"]["version"]
        pin = locked.get(name)
        if pin is None:
            wrong.append(f"{name}=={version} is needed and not in the lock: run make lock")
        elif version != pin.version:
            wrong.append(f"{name}: pip chose {version}, the lock has {pin.version}")
        else:
            digest = f"sha256:{entry['download_info']['archive_info']['hashes']['sha256']}"
            if digest not in pin.hashes:
                url = entry["download_info"]["url"]
                wrong.append(f"{name}=={version}: {url.rpartition('/')[2]} is not of a locked hash")
    return wrong


def isolated(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment less all that tells pip where to look for packages."""
    rest = {key: value for key, value in environ.items() if not key.startswith("PIP_")}
    return {**rest, "PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def resolve(pins: Sequence[lock.Pin], *, index: str | None = None) -> dict[str, Any]:
    """What a fresh pip would install for these pins on this system, without installing it.

    ``index`` replaces the public index. UnreachableError if it gives no answer; ValueError with
    pip's own words if it cannot serve the pins.
    """
    trusted = ["--cert", os.environ["PIP_CERT"]] if os.environ.get("PIP_CERT") else []
    common = [
        "--isolated",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--retries=2",
        *trusted,
    ]
    common += ["--index-url", index] if index else []
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", work / "venv"], check=True)
        pip = [str(work / "venv/bin/python"), "-m", "pip", "install", *common]
        _run([*pip, "--quiet", PIP], work)
        (work / "lock.txt").write_text("\n".join(pin.requirement for pin in pins) + "\n")
        _run(
            [*pip, "--dry-run", "--ignore-installed", "--use-feature=fast-deps", "--quiet",
             "--report", "report.json", "-r", "lock.txt"], work,
        )  # fmt: skip
        return json.loads((work / "report.json").read_text())


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(
        command, cwd=folder, env=isolated(os.environ), capture_output=True, text=True
    )
    if done.returncode == 0:
        return
    last = "\n".join(done.stderr.strip().splitlines()[-5:])
    if any(sign in done.stderr for sign in UNREACHED):
        raise UnreachableError(last)
    raise ValueError(last)


def main() -> int:
    try:
        pins = lock.read(lock.LOCK.read_text())
        report = None if problems(pins) else resolve(pins)
        wrong = problems(pins) if report is None else differences(pins, report)
    except UnreachableError as error:
        print(f"the public package index was not reached; nothing is checked:\n{error}")
        return 2
    except ValueError as error:
        wrong = [str(error)]
    if wrong:
        print("refused: requirements.lock cannot be installed elsewhere", *wrong, sep="\n  ")
        return 1
    print(f"requirements.lock: {len(pins)} pins; pip resolved them on the public index alone")
    return 0


if __name__ == "__main__":
    sys.exit(main())
