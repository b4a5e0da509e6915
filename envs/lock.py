"""Read requirements.lock: pins, markers and hashes, with or without torch.

    python -m envs.lock without-torch   all but torch and its CUDA packages, hashed
    python -m envs.lock pins            every pin without its hashes, for pip --constraint

`make` installs by the first and then torch within the second: torch's builds (CPU, CUDA) share a
version but no hash. Standard library only, for it runs before anything is installed.
"""

import re
import sys
from dataclasses import dataclass
from pathlib import Path

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
PIN = re.compile(
    r"(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)"
    r"(?:\s*;\s*(?P<marker>[^\\]*?))?(?P<hashes>(?:\s*\\\s*--hash=\S+)*)\s*"
)
TORCH = re.compile(r"torch|triton|nvidia-.*|cuda-.*")


class LockError(ValueError):
    """A line of the lock that pins nothing."""


@dataclass(frozen=True)
class Pin:
    """One package of the lock; ``marker``: on which systems, ``hashes``: of all its files."""

    name: str
    version: str
    marker: str
    hashes: tuple[str, ...]

    @property
    def requirement(self) -> str:
        """As pip reads it, without the hashes."""
        return f"{self.name}=={self.version}" + (f" ; {self.marker}" if self.marker else "")

    @property
    def hashed(self) -> str:
        """As pip reads it in its mode ``--require-hashes``."""
        return " \\\n    --hash=".join([self.requirement, *self.hashes])

    @property
    def is_torch(self) -> bool:
        """Whether it is torch or one of the CUDA packages that only torch needs."""
        return TORCH.fullmatch(self.name) is not None


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read(text: str) -> list[Pin]:
    """The pins of a lock in their order; LockError names a line that is no pin."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    pins = []
    for entry in re.split(r"\n(?!\s)", "\n".join(lines)):
        match = PIN.fullmatch(entry)
        if match is None:
            raise LockError(f"requirements.lock: {entry.splitlines()[0]!r} is not NAME==VERSION")
        hashes = tuple(re.findall(r"--hash=(\S+)", match["hashes"]))
        pins.append(Pin(normal(match["name"]), match["version"], match["marker"] or "", hashes))
    return pins


def main(form: str) -> None:
    pins = read(LOCK.read_text())
    if form == "without-torch":
        print("\n".join(pin.hashed for pin in pins if not pin.is_torch))
    elif form == "pins":
        print("\n".join(pin.requirement for pin in pins))
    else:
        sys.exit(f"envs.lock: unknown form {form!r}; choose without-torch or pins")


if __name__ == "__main__":
    main(*sys.argv[1:])
