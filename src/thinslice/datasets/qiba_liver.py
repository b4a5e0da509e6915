"""QIBA CT liver phantom: two Siemens Biograph 64 studies, 0.6, 1.5, 3 and 5 mm slices, 8 kernels.

Source      collection qiba_ct_liver_phantom of the NCI Imaging Data Commons; one series of each
            study, thickness and kernel is listed in ``splits/qiba_liver.csv``, 64 of 681, 5.1 GB
Licence     CC BY 4.0
Splits      all test; see ``_phantoms``
"""

from dataclasses import dataclass

from thinslice.datasets._phantoms import Phantoms, PhantomSettings

MANIFEST_SHA256 = "f831d16337daadbce876738d2e4bb48c5946324f9f93c68a49936e8920d5ed69"


@dataclass(frozen=True)
class Settings(PhantomSettings):
    """Which reconstructions."""


def build(**settings) -> Phantoms:
    return Phantoms("qiba_liver", MANIFEST_SHA256, Settings(**settings))
