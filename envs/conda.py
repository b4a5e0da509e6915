"""The environment file of `snakemake --sdm conda`, made from requirements.lock by `make lock`.

    python -m envs.conda > envs/thinslice.yaml

Snakemake copies the file alone to where it builds, so the pins stand in it: a path to the lock
would lead nowhere. Hashes stay in the lock; pip runs in its usual mode there.
"""

from collections.abc import Sequence

from envs import lock

HEAD = """\
# Made by `make lock` from requirements.lock: edit that, not this. Every rule runs in it.
channels: [conda-forge, nodefaults]
dependencies:
  - python >=3.11,<3.14
  - pip
  - pip:
"""


def environment(pins: Sequence[lock.Pin]) -> str:
    """The yaml file for these pins."""
    return HEAD + "".join(f'      - "{pin.requirement}"\n' for pin in pins)


if __name__ == "__main__":
    print(environment(lock.read(lock.LOCK.read_text())), end="")
