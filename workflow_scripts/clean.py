"""Free disk space in a results folder; prints what was removed and what was kept."""

import argparse
from pathlib import Path

from thinslice import errors
from thinslice.jobs import clean as cleaning

WHAT = {
    "restored": (cleaning.restored, "restored volumes"),
    "work": (cleaning.work, "checkpoints and shards"),
}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("what", choices=WHAT)
    p.add_argument("--results", type=Path, default=Path("results"))
    a = p.parse_args()

    clean, name = WHAT[a.what]
    print("\n".join(clean(a.results).lines(name)))


if __name__ == "__main__":
    errors.run_script(main)
