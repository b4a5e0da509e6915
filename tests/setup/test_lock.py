"""requirements.lock names only what every machine can install, and the files made from it agree."""

import re
import tomllib

import pytest
import yaml

from envs import check_setup, conda, lock
from support.paths import ROOT

PINS = lock.read((ROOT / "requirements.lock").read_text())
VERSIONS = {pin.name: pin.version for pin in PINS}


def entry(name: str = "numpy", version: str = "2.4.6", digest: str = "aa") -> dict:
    """One package of a report of `pip install --report`."""
    archive = {"hashes": {"sha256": digest}}
    return {
        "metadata": {"name": name, "version": version},
        "download_info": {"url": f"https://index/{name}-{version}.whl", "archive_info": archive},
    }


def test_the_lock_has_no_local_part_and_a_hash_of_every_package():
    assert check_setup.problems(PINS) == []
    assert VERSIONS["torch"] == "2.13.0"


def test_a_local_part_and_a_missing_hash_are_refused_by_name():
    pins = lock.read("torch==2.13.0+cpu \\\n    --hash=sha256:aa\nnumpy==2.4.6\n")
    local, unhashed = check_setup.problems(pins)
    assert "torch==2.13.0+cpu has a local part" in local
    assert "pin 2.13.0" in local
    assert "numpy==2.4.6 has no hash" in unhashed


@pytest.mark.parametrize("line", ["numpy", "numpy>=2", "-r other.txt", "numpy==2.4.6 scipy==1"])
def test_a_line_that_pins_nothing_is_refused(line):
    with pytest.raises(lock.LockError, match=re.escape(line)):
        lock.read(f"scipy==1.17.0 \\\n    --hash=sha256:bb\n{line}\n")


def test_names_are_compared_as_indexes_do_and_markers_and_hashes_are_kept():
    hashes = " \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb"
    text = f"# comment\nNum_Py==2.4.6 ; python_full_version < '3.12'{hashes}"
    (pin,) = lock.read(text)
    assert pin == lock.Pin(
        "num-py", "2.4.6", "python_full_version < '3.12'", ("sha256:aa", "sha256:bb")
    )
    assert lock.read(pin.hashed) == [pin]


def test_without_torch_the_lock_keeps_every_other_package(capsys):
    lock.main("without-torch")
    rest = lock.read(capsys.readouterr().out)
    left_out = {pin.name for pin in PINS} - {pin.name for pin in rest}
    assert {"torch", "triton", "nvidia-cudnn-cu13", "cuda-bindings"} <= left_out
    assert all(re.match("torch$|triton$|nvidia-|cuda-", name) for name in left_out)
    assert all(pin.hashes for pin in rest)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (entry(), []),
        (entry(version="2.5.0"), ["numpy: pip chose 2.5.0, the lock has 2.4.6"]),
        (entry(digest="cc"), ["numpy==2.4.6: numpy-2.4.6.whl is not of a locked hash"]),
        (entry("left_pad", "1.0"), ["left-pad==1.0 is needed and not in the lock: run make lock"]),
    ],
)
def test_what_pip_would_install_is_compared_with_the_lock(found, says):
    pins = [lock.Pin("numpy", "2.4.6", "", ("sha256:aa", "sha256:bb"))]
    assert check_setup.differences(pins, {"install": [found]}) == says


def test_pip_knows_of_no_other_places():
    given = {"PIP_FIND_LINKS": "/wheels", "PIP_EXTRA_INDEX_URL": "x", "HOME": "/home"}
    assert check_setup.isolated(given) == {
        "HOME": "/home",
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def test_an_index_that_does_not_answer_is_no_word_on_the_lock(monkeypatch, capsys):
    closed = "http://127.0.0.1:9/simple"  # discard: nothing listens there
    real = check_setup.resolve
    monkeypatch.setattr(check_setup, "resolve", lambda pins: real(pins, index=closed))
    assert check_setup.main() == 2
    assert "not reached; nothing is checked" in capsys.readouterr().out


def test_the_conda_environment_is_the_lock():
    text = (ROOT / "envs/thinslice.yaml").read_text()
    assert text == conda.environment(PINS), "run make lock"
    *_, packages = yaml.safe_load(text)["dependencies"]
    assert packages["pip"] == [pin.requirement for pin in PINS]


def test_every_rule_with_an_environment_names_that_one():
    rules = "".join(path.read_text() for path in sorted((ROOT / "rules").glob("*.smk")))
    named = re.findall(r'conda:\n\s+"(.*?)"', rules)
    assert set(named) == {"../envs/thinslice.yaml"}
    assert (ROOT / "rules" / named[0]).resolve() == ROOT / "envs/thinslice.yaml"


def test_what_the_package_needs_and_what_is_asked_for_is_in_the_lock():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = (ROOT / "requirements.in").read_text().splitlines()
    wanted = [line for line in [*project["dependencies"], *asked] if not line.startswith("#")]
    names = {lock.normal(re.split(r"[\[=> ;]", line)[0]) for line in wanted}
    assert names <= set(VERSIONS)
    assert f"torch=={VERSIONS['torch']}" in project["dependencies"]
