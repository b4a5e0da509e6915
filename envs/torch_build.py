"""Print which torch was installed; warn of a GPU that it cannot use. The last step of set-up."""

import sys

import torch

from envs import lock
from thinslice.runtime import gpu_check


def main() -> None:
    (pinned,) = (pin.version for pin in lock.read(lock.LOCK.read_text()) if pin.name == "torch")
    version = str(torch.__version__)
    print(f"torch {version}: {gpu_check.build()}")
    if version.partition("+")[0] != pinned:
        print(f"WARNING: thinslice is tested with torch {pinned}, not {version}", file=sys.stderr)
    if unused := gpu_check.unused():
        print(f"WARNING: {unused}", file=sys.stderr)


if __name__ == "__main__":
    main()
