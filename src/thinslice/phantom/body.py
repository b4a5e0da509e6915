"""Body of a virtual patient: the sizes and tissues that the organs are built around.

Lengths are those of a toddler's chest, 104 mm of which are scanned: a frame of 128 x 179 mm.
Larger frames scale it. (z, y, x): z = 0 is the middle of the chest, y = x = 0 of the frame.
"""

from dataclasses import dataclass

import numpy as np

FRAME_MM = (128.0, 179.2)  # (y, x) that the lengths below are meant for
HEIGHT_MM = 104.0


@dataclass(frozen=True)
class Body:
    """Drawn once per patient; every organ is placed by it."""

    half_width_mm: float  # of the body, left to right
    half_depth_mm: float  # of the body, front to back
    fat_mm: float  # below the skin
    squareness: float  # power of the body's outline; 2 is an ellipse
    breath_mm: float  # dome of the diaphragm, up from its usual height
    scoliosis_mm: float  # sideways bend of the spine
    lung_hu: float
    muscle_hu: float
    blood_hu: float  # up to 55 native, above 100 with contrast agent
    bone_hu: float  # cortical

    @property
    def back_mm(self) -> float:
        """y of the skin's inner side, at the spine."""
        return self.half_depth_mm - self.fat_mm

    @property
    def flank_mm(self) -> float:
        """x of the skin's inner side, at the widest."""
        return self.half_width_mm - self.fat_mm


def draw_body(rng: np.random.Generator) -> Body:
    """A patient."""
    enhanced = rng.random() < 0.5
    return Body(
        half_width_mm=rng.uniform(77, 84),
        half_depth_mm=rng.uniform(51, 57),
        fat_mm=rng.uniform(2.5, 5.5),
        squareness=rng.uniform(2.2, 2.6),
        breath_mm=rng.uniform(-6, 6),
        scoliosis_mm=rng.uniform(-3, 3),
        lung_hu=rng.uniform(-880, -800),
        muscle_hu=rng.uniform(45, 65),
        blood_hu=rng.uniform(150, 280) if enhanced else rng.uniform(35, 50),
        bone_hu=rng.uniform(550, 900),
    )
