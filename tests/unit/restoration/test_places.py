"""``thinslice restore`` keeps every place and, where nothing is to be done, every integer.

Each voxel of these scans says where it is: its value is one of its own coordinates, in microns,
the coordinate x, y, z in turn from column to column. Between slices such values stay true under
linear interpolation. Where a voxel of OUT lies is asked of others: nibabel and SimpleITK.
"""

import itertools

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK

from support import dicom_maker as maker
from support.oriented_series import ORIENTATIONS, PLACES_MM, SLICES, TURNS
from support.restore import statement_of
from thinslice.cli import main
from thinslice.io import padding

pytestmark = pytest.mark.usefixtures("no_picture", "hurried")
ZYX = (4, 3, 3)
PIXEL_MM = (0.7, 0.9)
MICRON_MM = 1000
STACKS = list(itertools.product(SLICES, (0.0, 0.37)))  # thickness and increment, phase; mm
RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
ENDINGS = ["", ".nii.gz"]


def layout(orientation, turn, increment_mm, phase_mm):
    """Index [slice, row, column] to LPS, mm."""
    along, down = (TURNS[turn] @ np.array(axis, float) for axis in ORIENTATIONS[orientation][:2])
    across = np.cross(along, down)
    affine = np.eye(4)
    affine[:3, 0] = ORIENTATIONS[orientation][2] * increment_mm * across
    affine[:3, 1], affine[:3, 2] = PIXEL_MM[0] * down, PIXEL_MM[1] * along
    affine[:3, 3] = np.array((-120.5, -80.25, 300.0)) + phase_mm * across
    return affine


def places(shape, affine):
    """[..., 3] mm of every voxel."""
    index = np.moveaxis(np.indices(shape), 0, -1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def middle(affine):
    return places((1, 1, 1), affine).reshape(3) + affine[:3, :3] @ (np.array(ZYX) - 1) / 2


def coordinate(at, affine):
    """Which of its coordinates each voxel holds, by its column in the scan."""
    column = (at - affine[:3, 3]) @ affine[:3, 2] / PIXEL_MM[1] ** 2
    return np.rint(column).astype(int) % 3


def microns(at, affine):
    """What a voxel at a place holds, before it is rounded."""
    own = np.take_along_axis(at - middle(affine), coordinate(at, affine)[..., None], -1)
    return MICRON_MM * own[..., 0]


def made(folder, ending, affine, thickness_mm):
    """The scan as a file of another's making, not ours."""
    values = np.rint(microns(places(ZYX, affine), affine)).astype(np.int16)
    if ending:
        axes = RAS_TO_LPS @ affine[:, [2, 1, 0, 3]]
        nib.save(nib.Nifti1Image(values.T, axes), folder / f"in{ending}")
        return folder / f"in{ending}"
    plane = tuple(tuple(affine[:3, axis] / np.linalg.norm(affine[:3, axis])) for axis in (2, 1))
    starts = [affine[:3] @ (k, 0, 0, 1) for k in range(ZYX[0])]
    how = {"plane": plane, "pixel_mm": PIXEL_MM, "thickness_mm": thickness_mm}
    return maker.series(folder / "in", values, starts, **how)


def seen(path):
    """Values, and the place of each, as nibabel or SimpleITK has them."""
    if path.is_file():
        image = nib.Nifti1Image.from_filename(path)
        values = np.asarray(image.dataobj)
        return values, places(values.shape, RAS_TO_LPS @ image.affine)
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(path)))
    image = reader.Execute()
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    values = SimpleITK.GetArrayFromImage(image).T
    return values, places(values.shape, affine)


def thickness_of(out):
    if out.is_file():
        return statement_of(out)["grids"]["output"]["thickness_mm"]
    return float(pydicom.dcmread(out / "0001.dcm").SliceThickness)


def some(orientation, turn):
    """Three stacks: each plane meets all slices and both phases, each turn all stacks."""
    first = list(ORIENTATIONS).index(orientation) + 2 * list(TURNS).index(turn)
    return [STACKS[(first + k) % len(STACKS)] for k in (0, 3, 6)]


def every(orientation, turn):
    """All stacks, whatever the plane and the turn."""
    return STACKS


def cases(tmp_path, orientation, turn, ending, stacks):
    """Scans of these stacks: path, words for the command, layout, thickness and increment."""
    for n, ((thickness, increment), phase) in enumerate(stacks):
        affine = layout(orientation, turn, increment, phase)
        (tmp_path / str(n)).mkdir()
        scan = made(tmp_path / str(n), ending, affine, thickness)
        declared = ["--declared-thickness", str(thickness)] if ending else []
        yield scan, scan.with_name(f"out{ending}"), declared, affine, (thickness, increment)


@pytest.fixture(autouse=True)
def _microns_are_no_hu(monkeypatch):
    """No number here is below air, and so padding."""
    monkeypatch.setattr(padding, "BELOW_AIR_HU", -np.inf)


def layouts():
    """Every plane, turn and file: in every run DICOM and NIfTI in turn, of some stacks."""
    axes = itertools.product(enumerate(ORIENTATIONS), enumerate(TURNS), enumerate(ENDINGS))
    for (n, orientation), (m, turn), (k, ending) in axes:
        for stacks in (some, every):
            quick = stacks is some and (n + m) % len(ENDINGS) == k
            marks = () if quick else pytest.mark.slow
            yield pytest.param(orientation, turn, ending, stacks, marks=marks)


LAYOUTS = pytest.mark.parametrize(("orientation", "turn", "ending", "stacks"), list(layouts()))


@LAYOUTS
def test_every_voxel_is_where_it_says(tmp_path, orientation, turn, ending, stacks):
    chosen = stacks(orientation, turn)
    for scan, out, declared, affine, slices in cases(tmp_path, orientation, turn, ending, chosen):
        assert main(["restore", str(scan), str(out), "--method", "linear", *declared]) == 0
        values, at = seen(out)
        across = affine[:3, 0] / np.linalg.norm(affine[:3, 0])
        depth = (at - affine[:3, 3]) @ across
        between = (depth > 0) & (depth < (ZYX[0] - 1) * slices[1])  # beyond, end slices are held
        moved = np.abs(values - microns(at, affine))[between] / MICRON_MM
        assert moved.size > 20
        assert moved.max() < PLACES_MM / np.sqrt(3)
        _extent_is_kept(at, affine, slices, thickness_of(out))


def _extent_is_kept(at, affine, slices, thin_mm):
    """Within a thin slice through the plane, exactly in it."""
    assert thin_mm == 1.0
    had = places(ZYX, affine)
    for axis, left in ((0, slices[0]), (1, 0), (2, 0)):
        unit = affine[:3, axis] / np.linalg.norm(affine[:3, axis])
        has = thin_mm if axis == 0 else 0
        ends = [(f(had @ unit) + s * left / 2, f(at @ unit) + s * has / 2)
                for f, s in ((np.min, -1), (np.max, 1))]  # fmt: skip
        (low, first), (high, last) = ends
        short = thin_mm if axis == 0 else PLACES_MM
        assert low - PLACES_MM < first < low + short
        assert high - short < last < high + PLACES_MM


@LAYOUTS
def test_the_scan_on_its_own_slices_is_the_same_integers(
    tmp_path, orientation, turn, ending, stacks
):
    chosen = stacks(orientation, turn)
    for n, case in enumerate(cases(tmp_path, orientation, turn, ending, chosen)):
        scan, out, declared, _, (thickness, increment) = case
        own = ["--thickness", str(thickness), "--increment", str(increment), *declared]
        method = ("nearest", "linear")[n % 2]
        assert main(["restore", str(scan), str(out), "--method", method, *own]) == 0
        (before, here), (after, there) = seen(scan), seen(out)
        assert (after.dtype, after.shape) == (before.dtype, before.shape)
        np.testing.assert_array_equal(after, before)
        np.testing.assert_allclose(there, here, atol=1e-3)
