"""The named intensity ranges that PSNR and SSIM are taken over.

Both depend on the range as much as on the images: the same error scores 20 log10(L1 / L2) dB
higher in a wider one. So a range is a name with fixed ends, never read off the restored or the
thin volume. MR has no unit; its volumes are first mapped so that 0 and 1 are the 0.5th and
99.5th percentile of the *thick* volume, and its one range is [0, 1].
"""

from thinslice.volume import Window

WIDE = Window(-1024.0, 2976.0)  # HU; 4000 wide: everything but metal
LUNG = Window(-1000.0, 400.0)  # HU; 1400 wide
SOFT = Window(-160.0, 240.0)  # HU; 400 wide: soft tissue
UNIT = Window(0.0, 1.0)  # MR, after scaling


def width(window: Window) -> float:
    """L of the formulas: the length of a range, in its own unit."""
    return window.high - window.low
