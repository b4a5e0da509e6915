"""The segmenter in a file: a network of ours, or a trained nnU-Net's name."""

from pathlib import Path

from thinslice.segmentation import nnunet
from thinslice.segmentation.nnunet import NnUNet
from thinslice.segmentation.segmenter import Segmenter
from thinslice.training import weights


def load(path: Path) -> Segmenter | NnUNet:
    """Read it; Refused for any other file."""
    if weights.head(path)["method"] == nnunet.METHOD:
        return NnUNet.load(path)
    return Segmenter.load(path)
