"""A folder as nnU-Net leaves it, and a stand-in for its command, which labels by HU."""

import json
import os
import sys
from pathlib import Path

import pytest

from thinslice.segmentation import nnunet

DESCRIBED = {
    "channel_names": {"0": "CT"},
    "labels": {"background": 0, "cyst": 1, "tumour": 2, "kidney": 3},
    "file_ending": ".nii.gz",
}
STAND_IN = """#!{python}
import pathlib, sys
import nibabel as nib
import numpy as np
given = sys.argv[1:]
for name, value in zip(given[::2], given[1::2]):
    if name == "-i": scans = pathlib.Path(value)
    if name == "-o": answers = pathlib.Path(value)
    if name == "-m": (pathlib.Path(value) / "given.txt").write_text(" ".join(given))
answers.mkdir()
for path in scans.glob("*_0000.nii.gz"):
    image = nib.load(path)
    hu = np.asarray(image.dataobj)
    if hu.min() < -2000: sys.exit("out of memory")
    labels = np.select([hu > 200, hu > 100, hu > 0], [1, 2, 3], 0).astype(np.uint8)
    name = path.name.replace("_0000", "")
    nib.save(nib.Nifti1Image(labels, image.affine), answers / name)
"""


def make(folder: Path, monkeypatch: pytest.MonkeyPatch, described: dict = DESCRIBED) -> Path:
    """The trained folder; its command is on the path."""
    command = folder / "bin" / nnunet.COMMAND
    command.parent.mkdir()
    command.write_text(STAND_IN.format(python=sys.executable))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    trained = folder / "trained"
    for number in (0, 3):
        (trained / f"fold_{number}").mkdir(parents=True)
        (trained / f"fold_{number}" / nnunet.CHECKPOINT).write_bytes(b"weights")
    (trained / "dataset.json").write_text(json.dumps(described))
    (trained / "plans.json").write_text("{}")
    return trained
