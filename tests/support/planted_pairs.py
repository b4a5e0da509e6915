"""What may be wrong with a pair: how its thick series is written, the verdict, and its reason."""

from typing import Any, NamedTuple

import numpy as np
from scipy import ndimage

from support.reconstruction_pairs import (
    THICK_MM,
    THICK_START,
    body,
    quanta,
    seen,
    tagged,
    thick_hu,
    thin_hu,
)

MIDDLE = 31.5  # of the pixels


class Planted(NamedTuple):
    """Keywords of ``thick_at``; the codes of the reasons expected, and words of the first."""

    how: dict[str, Any]
    codes: tuple[str, ...]
    words: str = ""


def of_tags(codes: str, words: str = "", **tags: object) -> Planted:
    return Planted({"change": tagged(**tags)}, tuple(codes.split()), words)


def of_images(codes: str, hu: np.ndarray, words: str = "", **how: Any) -> Planted:
    return Planted({"hu": hu, **how}, tuple(codes.split()), words)


def blurred(hu: np.ndarray, sigma: float) -> np.ndarray:
    return ndimage.gaussian_filter(hu, (0, sigma, sigma))


def averaged() -> np.ndarray:
    """Means of five thin slices, as stored."""
    thin = np.rint(thin_hu())
    return np.stack([thin[5 * k + 1 : 5 * k + 6].mean(axis=0) for k in range(11)])


def magnified(times: float) -> np.ndarray:
    offset = MIDDLE * (1 - 1 / times)
    return np.stack(
        [
            ndimage.affine_transform(v, [1 / times] * 2, offset=offset, order=1, mode="nearest")
            for v in thick_hu()
        ]
    )


def later_phase() -> np.ndarray:
    """The same body with contrast in its vessels, and other noise."""
    vessels = (body() > 60) & (body() < 150)
    return seen(body() + np.where(vessels, 120.0, 0.0) + quanta(2), THICK_START, THICK_MM, 11)


def one_twice() -> np.ndarray:
    hu = thick_hu().copy()
    hu[4] = hu[9]
    return hu


def tilted(k: int, data) -> None:
    tagged()(k, data)
    x, y, z = data.ImagePositionPatient
    data.ImagePositionPatient = [x, y + 0.2 * (z - THICK_START), z]


def cropped(k: int, data) -> None:
    tagged()(k, data)
    data.Rows, data.PixelData = 56, data.PixelData[: 56 * 64 * 2]


def beside(k: int, data) -> None:
    tagged()(k, data)
    x, y, z = data.ImagePositionPatient
    data.ImagePositionPatient = [x + 1, y, z]


TURNED = ((1.0, 0.0, 0.0), (0.0, 0.9986295, 0.0523360))
WITHOUT = np.delete(np.arange(11), 5)


def planted() -> dict[str, Planted]:
    """All of them by name; headers are copied where nothing else is said."""
    return in_headers() | in_grids() | in_images()


def in_headers() -> dict[str, Planted]:
    return {
        "other kernel": of_tags("kernel", "B30f (thin) and B70f", ConvolutionKernel="B70f"),
        "other phase, by time": of_tags("acquisition", "39.5 s apart", AcquisitionTime="101152"),
        "another day": of_tags("acquisition", "20260103 (thick)", AcquisitionDate="20260103"),
        "other phase of the heart": of_tags(
            "phase", "75 (thin) and 40 (thick)", NominalPercentageOfCardiacPhase=40
        ),
        "reformatted": of_tags(
            "derived", "DERIVED/SECONDARY/MPR", ImageType=["DERIVED", "SECONDARY", "MPR"]
        ),
        "feet first": of_tags("patient_position", "HFS (thin) and FFS", PatientPosition="FFS"),
        "other tube voltage": of_tags("energy", "KVP 120 (thin) and 100", KVP=100),
        "other frame": of_tags("frame", "...1.2.2 and ...1.2.9", FrameOfReferenceUID="1.2.9"),
        "other study": of_tags("study", "...1.2.1 and ...1.2.8", StudyInstanceUID="1.2.8"),
        "other patient": of_tags("patient", "two PatientIDs", PatientID="other"),
        "other scanner": of_tags("scanner", "ACME and Other", Manufacturer="Other"),
        "MR": of_tags("modality", "MR, not CT", Modality="MR"),
        "with loss": of_tags("lossy", LossyImageCompression="01"),
        "as thin": of_tags("thickness gap", "1.2 mm slices beside 1 mm ones", SliceThickness=1.2),
    }


def in_grids() -> dict[str, Planted]:
    hu = thick_hu()
    return {
        "cropped": Planted({"change": cropped}, ("field_of_view",), "56 x 64 pixels"),
        "cropped elsewhere": Planted({"change": beside}, ("field_of_view",), "1 mm beside"),
        "other diameter": Planted(
            {"pixel_mm": (0.8, 0.8)}, ("field_of_view",), "51.2 x 51.2 mm (thick)"
        ),
        "tilted": Planted({"change": tilted}, ("stack",), "thick: gantry tilt"),
        "turned": Planted({"plane": TURNED}, ("orientation",), "turned by 3 degrees"),
        "gap": Planted(
            {"hu": hu[::2], "increment_mm": 10.0}, ("gap",), "thick slices of 5 mm every 10 mm"
        ),
        "other table range": Planted(
            {"start_mm": 300.0}, ("table_range",), "0 of 11 thick slices (298.5 to 348.5 mm)"
        ),
    }


def in_images() -> dict[str, Planted]:
    hu = thick_hu()
    return {
        "softer kernel, not stated": of_images("kernel", blurred(hu, 0.8), "kernel same"),
        "sharper kernel, not stated": of_images("kernel", 2 * hu - blurred(hu, 1), "kernel same"),
        "other phase, headers copied": of_images("acquisition", later_phase(), "independent"),
        "other scan of that patient": of_images("acquisition", thick_hu(0, 1), "independent"),
        "other patient, headers copied": of_images("anatomy", thick_hu(1, 1), "HU (RMSE)"),
        "other diameter, headers copied": of_images("in_plane", magnified(1.03), "magnified 1.03"),
        "images moved": of_images("in_plane", np.roll(hu, 1, axis=2), "(x) pixels"),
        "mirrored": of_images("anatomy", hu[:, :, ::-1], "HU (RMSE)"),
        "half a thin slice off": Planted({"start_mm": THICK_START + 0.5}, ("z_offset",), "-0.5 mm"),
        "half a thick slice off": Planted({"start_mm": THICK_START + 2.5}, ("z_offset",), "-2.4"),
        "a thick slice off": Planted({"start_mm": THICK_START + 5}, ("z_offset",), "-5 mm from"),
        "reversed": of_images("order", hu[::-1], "when turned round"),
        "averaged": of_images("simulated", averaged(), "weighted means of thin ones to 0.3"),
        "every fifth thin slice": of_images("simulated", thin_hu()[3::5], "FWHM 1 mm"),
        "other intercept": of_images("hu_scale", hu + 1024, "+1024 HU on average"),
        "other HU": of_images("hu_scale", 1.05 * hu, "1.050 times"),
        "one slice twice": of_images("odd_slices", one_twice(), "1 thick slices, counted"),
    }


def certified() -> dict[str, dict[str, Any]]:
    """Keywords of ``thick_at`` for pairs with nothing wrong."""
    hu = thick_hu()
    between = thick_hu(0, 0, THICK_START + 0.5)
    fine = np.arange(0, 21) * 2.5 + THICK_START
    at = (fine / 0.5).round().astype(int)
    overlapping = ndimage.gaussian_filter1d(body() + quanta(), THICK_MM / 2.355 / 0.5, axis=0)[at]
    padded = hu.copy()
    y, x = np.mgrid[:64, :64] - MIDDLE
    padded[:, y**2 + x**2 > 31**2] = -2000
    noisy = hu + np.random.default_rng(3).normal(0, 3, hu.shape)
    return {
        "as it is": {},
        "other number, same noise": {"change": tagged(AcquisitionNumber=7)},
        "written otherwise": {"change": tagged(KVP="120.00", AcquisitionTime="101112.9")},
        "no PatientID": {"change": tagged(PatientID="")},
        "PatientID and maker otherwise": {
            "change": tagged(PatientID=" secret^name ", Manufacturer="Acme")
        },
        "of raw data, made later": {"change": tagged(ImageType=["ORIGINAL", "SECONDARY", "AXIAL"])},
        "nothing stated": {"change": tagged(ConvolutionKernel="", AcquisitionTime="")},
        "between thin slices": {"hu": between, "start_mm": THICK_START + 0.5},
        "overlapping": {"hu": overlapping + 0.5, "increment_mm": 2.5},
        "padded": {"hu": padded},
        "less filtered": {"hu": noisy},
    }
