"""nnU-Net as the segmenter: a folder that nnU-Net trained, applied by the user's installation.

It is no dependency: its command for trained folders is run on one NIfTI file after the other.

Source: documentation of nnU-Net v2, "Run inference" and "Dataset and input format".
"""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nibabel as nib
import numpy as np
import torch
from torch import nn

from thinslice.errors import Refused, in_one_line, refused
from thinslice.fs.hashing import sha256_of_file
from thinslice.io.nifti.write import write_nifti
from thinslice.training import weights
from thinslice.volume import Volume

METHOD = "nnunet"
COMMAND = "nnUNetv2_predict_from_modelfolder"
CHECKPOINT = "checkpoint_final.pth"
FOLDS = "fold_"


class NnUNet:
    """A trained folder and the structures that are taken of what it finds.

    Refused where the folder is none of a trained nnU-Net of CT, or does not find a structure.
    """

    def __init__(self, structures: Sequence[str], folder: Path):
        self.structures, self.folder = tuple(structures), folder
        self.labels = _labels(folder, self.structures)
        self.folds = sorted(path.parent.name for path in folder.glob(f"{FOLDS}*/{CHECKPOINT}"))
        if not self.folds:
            raise refused(
                folder, f"no {FOLDS}*/{CHECKPOINT}", "a trained nnU-Net", "has training ended?"
            )
        self.device = torch.device("cpu")

    @classmethod
    def load(cls, path: Path) -> "NnUNet":
        """What ``save`` wrote; Refused if the trained folder is another one by now."""
        network = weights.network(path, method=METHOD)
        segmenter = cls(network["structures"], Path(network["folder"]))
        if segmenter.files() != network["files"]:
            raise Refused(
                f"{network['folder']}: found another trained nnU-Net than {path} names; expected "
                "it unchanged; remove that file to take the one that is there"
            )
        return segmenter

    def save(self, path: Path, about: Mapping[str, Any]) -> None:
        """Write which trained folder it is, by the hashes of its files; no weights."""
        network = {
            "structures": list(self.structures),
            "folder": str(self.folder),
            "files": self.files(),
        }
        weights.save(path, nn.Module(), method=METHOD, network=network, about=about)

    def files(self) -> dict[str, str]:
        """Hashes of what decides its labels, by name."""
        names = ["dataset.json", "plans.json", *(f"{fold}/{CHECKPOINT}" for fold in self.folds)]
        return {name: sha256_of_file(self.folder / name) for name in names}

    def to(self, device: torch.device) -> "NnUNet":
        """Itself, to be run on a device."""
        self.device = device
        return self

    def segment(self, volume: Volume) -> np.ndarray:
        """Labels uint8 [Z, Y, X] of a CT; Refused without an installation, or where it fails."""
        if volume.modality != "CT":
            raise Refused(f"a segmenter of CT was given {volume.modality}")
        with TemporaryDirectory() as folder:
            scans, answers = Path(folder, "scans"), Path(folder, "answers")
            scans.mkdir()
            write_nifti(volume, scans / "scan_0000.nii.gz")
            self._run(scans, answers)
            numbers = _numbers(answers / "scan.nii.gz", volume)
        found = np.zeros(numbers.shape, np.uint8)
        for label, number in enumerate(self.labels, 1):
            found[numbers == number] = label
        return found

    def _run(self, scans: Path, answers: Path) -> None:
        command = [installed(), "-i", str(scans), "-o", str(answers), "-m", str(self.folder)]
        command += ["-f", *(fold.removeprefix(FOLDS) for fold in self.folds)]
        command += ["-device", self.device.type, "--disable_progress_bar"]
        environment = {**os.environ, **_one_gpu(self.device)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment)
        if done.returncode:
            last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
            raise Refused(f"{COMMAND} on {self.folder} ended with {done.returncode}: {last}")


def installed() -> str:
    """Path of nnU-Net's command; Refused where it is not installed."""
    path = shutil.which(COMMAND)
    if path is None:
        raise Refused(
            f"nnU-Net is not installed: found no command {COMMAND}; install nnunetv2 where "
            "thinslice is, or leave out the setting nnunet of segmentation"
        )
    return path


def _labels(folder: Path, structures: Sequence[str]) -> list[int]:
    """The number that the trained folder gives to each structure."""
    path = folder / "dataset.json"
    with in_one_line(path, "a trained nnU-Net's description"):
        text = path.read_text(encoding="utf-8")
    try:
        described = json.loads(text)
        numbers, channels = dict(described["labels"]), described["channel_names"]
        ending = described["file_ending"]
    except (ValueError, KeyError, TypeError) as error:
        found = f"no description of a data set ({type(error).__name__}: {error})"
        raise refused(path, found, "that of nnU-Net v2", "is the folder right?") from error
    if len(channels) != 1 or ending != ".nii.gz":
        found = f"{len(channels)} channels in {ending} files"
        raise refused(path, found, "one channel in .nii.gz files", "train on thin CT alone")
    if missing := [name for name in structures if not isinstance(numbers.get(name), int)]:
        found = f"labels {', '.join(f'{k} {v}' for k, v in numbers.items())}"
        expected = f"{', '.join(missing)}, each with one number"
        raise refused(path, found, expected, "name its labels as the data set's structures")
    return [numbers[name] for name in structures]


def _numbers(path: Path, volume: Volume) -> np.ndarray:
    """The command's answer [Z, Y, X], of the file that ``write_nifti`` wrote: x, y, z."""
    with in_one_line(path, f"what {COMMAND} found"):
        image = nib.load(path)  # pyright: ignore[reportPrivateImportUsage]
        numbers = np.asarray(image.dataobj)  # pyright: ignore[reportAttributeAccessIssue]
    numbers = numbers.transpose()
    if numbers.shape != volume.grid.zyx:
        raise refused(path, f"{numbers.shape} voxels", f"{volume.grid.zyx}", "is it nnU-Net v2?")
    return numbers


def _one_gpu(device: torch.device) -> dict[str, str]:
    """Environment in which nnU-Net sees the device of this job alone."""
    if device.type != "cuda":
        return {}
    seen = [each for each in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if each]
    number = device.index or 0
    return {"CUDA_VISIBLE_DEVICES": seen[number] if seen else str(number)}
