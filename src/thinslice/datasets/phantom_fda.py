"""Phantom FDA: a chest phantom with synthetic nodules of known size, 0.75 to 5 mm slices.

Source      collection phantom_fda of the NCI Imaging Data Commons (Gavrielides et al., Opt Express
            18:15244): Philips Mx8000 IDT 16 and Siemens Definition; one series of each layout,
            thickness, increment and kernel is listed in ``splits/phantom_fda.csv``, 67 of 4,433,
            12.6 GB: of the study that has most of them, the first by its number
Licence     CC BY-NC 3.0: it must be named (``licences: [CC BY-NC 3.0]``)
Splits      all test; see ``_phantoms``
"""

from dataclasses import dataclass

from thinslice.datasets._phantoms import Phantoms, PhantomSettings

MANIFEST_SHA256 = "8b128ca701c0fd1f75e2a7112e32c4639ff89dfce0453cce93f5be50af9db0f7"


@dataclass(frozen=True)
class Settings(PhantomSettings):
    """Which reconstructions."""


def build(**settings) -> Phantoms:
    return Phantoms("phantom_fda", MANIFEST_SHA256, Settings(**settings))
