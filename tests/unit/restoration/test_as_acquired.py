"""``--as-acquired``: irregular scans come back in place, as sharp as regular ones, consistent."""

import itertools
import tarfile

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK

from support import irregular_scene as scene
from support.paths import REAL_SCANS
from support.quick import slow_but
from support.restore import PRESETS, restored, statement_of
from thinslice import read, restore
from thinslice.interfaces import Run
from thinslice.io.acquired import AcquiredScan
from thinslice.operators import in_plane_shifts, interpolation
from thinslice.restoration import methods
from thinslice.restoration.as_acquired import regular
from thinslice.volume import Padding, filled

EVEN = -30.0 + 5.0 * np.arange(13)
JITTER = np.resize([0.0, 1.0, -1.0, 0.6, -0.4], 13)  # of the amplitude
CLOSE = -30.0 + 3.0 * np.arange(21)  # every 3 mm, so that balls of 12 mm have centroids
FIDUCIAL_MM = 0.1
RUN = Run(device="cpu", threads=1)
SCANS = {
    "tilt 8": {"z_mm": EVEN, "degrees": 8.0},
    "tilt 25": {"z_mm": EVEN, "degrees": 25.0},
    "tilt -16.5": {"z_mm": EVEN, "degrees": -16.5},
    "jitter": {"z_mm": EVEN + 0.5 * JITTER},
    "descending": {"z_mm": (EVEN + 0.5 * JITTER)[::-1]},
    "tilt, jitter": {"z_mm": EVEN + 0.5 * JITTER, "degrees": 16.5},
}
GAPS = {
    "missing": {"z_mm": np.delete(EVEN, 1)},
    "tilt, missing": {"z_mm": np.delete(EVEN, 1), "degrees": 16.5},
    "5 to 10 mm": {
        "z_mm": np.r_[EVEN[:7], 7.5, 17.5, 27.5], "thickness_mm": np.r_[[5.0] * 7, [10.0] * 3]
    },
}  # fmt: skip


def acquired(folder):
    scan = read(folder, as_acquired=True)
    assert isinstance(scan, AcquiredScan)
    return scan


def result_of(tmp_path, how, method="linear", **more):
    scan = read(scene.series(tmp_path / "s", **how, **more), as_acquired=True)
    return restore(scan, method=method, run=RUN)


def rmse(result):
    """In the body, away from the ends, where a slice was acquired; HU."""
    volume = result.volume
    error = volume.voxels - scene.truth(volume.grid)
    affine, index = volume.grid.affine(), np.indices(volume.grid.zyx)
    x, y, z = np.tensordot(affine[:3, :3], index, 1) + affine[:3, 3, None, None, None]
    body = (np.hypot(x / scene.BODY_MM[0], y / scene.BODY_MM[1]) < 0.9) & (np.abs(z) < 22)
    return float(np.sqrt(np.mean(error[body] ** 2)))


STACKS = list(itertools.product(["even", "jitter", "missing"], [0.0, 8.0, -16.5, 25.0]))
QUICK = [("even", 25.0), ("jitter", -16.5), ("missing", 8.0)]


@pytest.mark.parametrize("stack", slow_but(QUICK, STACKS), ids=str)
def test_fiducials_are_within_a_tenth_of_a_millimetre(tmp_path, stack):
    """The missing slice lies beside the balls: what was not scanned has no centroid."""
    name, degrees = stack
    z_mm = {
        "even": CLOSE,
        "jitter": CLOSE + 0.2 * np.resize(JITTER, 21),
        "missing": np.delete(CLOSE, 19),
    }[name]
    volume = result_of(tmp_path, {"z_mm": z_mm, "degrees": degrees, "thickness_mm": 3.0}).volume
    exact = scene.centroids(scene.truth(volume.grid), volume.grid.affine())
    moved = scene.centroids(volume.voxels, volume.grid.affine()) - exact
    assert np.linalg.norm(exact - scene.BALLS, axis=1).max() < 0.03
    assert np.linalg.norm(moved, axis=1).max() < FIDUCIAL_MM


@pytest.mark.parametrize("name", SCANS)
def test_the_error_is_within_a_tenth_of_that_of_a_regular_scan_of_equal_dose(
    tmp_path, name, regular_rmse
):
    assert rmse(result_of(tmp_path, SCANS[name], noise_hu=10.0)) < 1.1 * regular_rmse


@pytest.fixture(scope="module")
def regular_rmse(tmp_path_factory):
    plain = result_of(tmp_path_factory.mktemp("regular"), {"z_mm": EVEN}, noise_hu=10.0)
    assert plain.planned.acquired is None
    return rmse(plain)


@pytest.mark.parametrize("name", [*SCANS, *GAPS])
def test_made_thick_again_it_is_what_was_acquired_within_the_noise(tmp_path, name):
    result = result_of(tmp_path, {**SCANS, **GAPS}[name], noise_hu=10.0)
    checks = result.trust.slices
    assert len(checks) == len({**SCANS, **GAPS}[name]["z_mm"])
    assert max(check.rmse for check in checks) < 2 * 10.0 / 2
    assert not [check for check in checks if check.flagged and check.rmse > 2.5]


def test_slices_on_the_lattice_reach_the_method_as_they_were_acquired(tmp_path):
    scan = acquired(scene.series(tmp_path / "s", np.delete(EVEN, 4)))
    loaded, _ = regular(scan)
    assert loaded.volume.grid.n == 13
    there = np.delete(loaded.volume.voxels, 4, axis=0)
    np.testing.assert_allclose(there, scan.voxels, atol=3.0)


def test_tilt_alone_shifts_slices_and_estimates_nothing(tmp_path):
    scan = acquired(scene.series(tmp_path / "s", EVEN, degrees=16.5))
    loaded, acquisition = regular(scan)
    grid = loaded.volume.grid
    assert grid.increment_mm == pytest.approx(5 * np.cos(np.radians(16.5)))
    inside = in_plane_shifts.measured(acquisition.shifts, scan.frame.shape, grid.shape)
    np.testing.assert_array_equal(loaded.volume.padded(), ~inside)
    np.testing.assert_array_equal(loaded.volume.voxels[0][inside[0]], scan.voxels[0].ravel())


def test_a_regular_scan_is_restored_as_without_the_option(tmp_path):
    folder = scene.series(tmp_path / "s", EVEN)
    plain = restore(read(folder), method="cubic", run=RUN)
    same = restore(read(folder, as_acquired=True), method="cubic", run=RUN)
    np.testing.assert_array_equal(same.volume.voxels, plain.volume.voxels)
    assert same.volume.grid == plain.volume.grid
    assert same.trust == plain.trust


@pytest.mark.usefixtures("no_picture")
@pytest.mark.parametrize("ending", ["", ".nii.gz", ".zarr"])
@pytest.mark.parametrize("degrees", [0.0, 16.5])
def test_every_format_puts_the_fiducials_in_place(tmp_path, capsys, ending, degrees):
    z_mm, out = CLOSE if degrees else np.delete(CLOSE, 19), tmp_path / f"out{ending}"
    scan = scene.series(tmp_path / "s", z_mm, degrees=degrees, thickness_mm=3.0)
    status, _, complaints = restored(capsys, scan, out, "--as-acquired", "--method", "linear")
    assert (status, "restored as acquired" in complaints) == (0, True)
    voxels, affine = reread(out)
    moved = scene.centroids(voxels, affine) - scene.BALLS
    assert np.linalg.norm(moved, axis=1).max() < FIDUCIAL_MM


def reread(out):
    """Voxels [Z, Y, X] and their affine to LPS by another library than the writer's."""
    if out.suffix == ".gz":
        image = nibabel.Nifti1Image.load(out)
        lps = np.diag([-1.0, -1, 1, 1]) @ image.affine
        return np.asarray(image.dataobj, float).transpose(2, 1, 0), lps[:, [2, 1, 0, 3]]
    if out.suffix == ".zarr":
        volume = read(out).volume
        return volume.voxels, volume.grid.affine()
    names = SimpleITK.ImageSeriesReader.GetGDCMSeriesFileNames(str(out))
    image = SimpleITK.ReadImage(names)
    assert "GantryDetectorTilt" not in pydicom.dcmread(names[0])
    columns = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = columns[:, ::-1], image.GetOrigin()
    return SimpleITK.GetArrayFromImage(image).astype(float), affine


@pytest.mark.usefixtures("no_picture")
def test_the_statement_says_where_the_slices_were_and_what_lies_in_gaps(tmp_path, capsys):
    scan, out = scene.series(tmp_path / "s", np.delete(EVEN, [5, 6, 7])), tmp_path / "out.nii"
    assert restored(capsys, scan, out, "--as-acquired", "--method", "linear")[0] == 0
    statement = statement_of(out)
    acquired = statement["input"]["as_acquired"]
    assert acquired["centres_mm"] == pytest.approx(list(np.delete(EVEN, [5, 6, 7]) + 30))
    (gap,) = acquired["gaps"]
    assert (gap["from_mm"], gap["to_mm"]) == pytest.approx((22.5, 37.5))
    assert gap["last"] - gap["first"] + 1 == 15
    words = " ".join(statement["warnings"])
    assert "no slice was acquired over 15 mm: restored slices 26 to 40 are interpolated" in words
    assert "acquired one" in statement["trust"]["consistency"]["profile"]


def test_it_is_refused_without_the_option(tmp_path, capsys):
    scan = scene.series(tmp_path / "s", EVEN, degrees=10)
    status, _, complaints = restored(capsys, scan, tmp_path / "out.nii", "--method", "linear")
    assert status == 2
    assert "--as-acquired restores them" in complaints


REAL = REAL_SCANS / "dicom" / "philips_tilt16_2.5mm.tar.xz"


@pytest.mark.skipif(not REAL.exists(), reason="needs the real scans")
@pytest.mark.parametrize("method", slow_but(["linear"], ["linear", "cubic"]))
def test_a_real_tilted_scan_is_consistent_within_its_noise(tmp_path, method):
    with tarfile.open(REAL) as archive:
        archive.extractall(tmp_path, filter="data")
    scan = acquired(tmp_path / "philips_tilt16_2.5mm")
    assert scan.tilt_deg == pytest.approx(16.5, abs=0.01)
    trust = restore(scan, method=method, run=RUN).trust
    assert max(check.rmse for check in trust.slices) < 2 * trust.noise


@pytest.mark.parametrize("how", [{"degrees": 16.5}, {"thickness_mm": np.r_[[5.0] * 12, 6.0]}])
def test_a_method_that_learns_sees_regular_slices_and_is_corrected(tmp_path, monkeypatch, how):
    monkeypatch.setattr(methods, "presets", lambda: PRESETS)
    result = result_of(tmp_path, {"z_mm": EVEN, **how}, method="sr4zct_small")
    assert result.planned.chosen.fit == "volume"
    assert max(check.rmse for check in result.trust.slices) < 2.5


def test_the_answer_of_a_method_is_left_as_it_is_on_request(tmp_path):
    scan = acquired(scene.series(tmp_path / "s", EVEN, degrees=10))
    as_it_is, corrected = (
        restore(scan, method="linear", consistent=consistent, run=RUN)
        for consistent in (False, None)
    )
    plain = interpolation.resample_z(regular(scan)[0].volume, as_it_is.volume.grid, "linear")
    inside = ~as_it_is.volume.padded()
    np.testing.assert_array_equal(as_it_is.volume.voxels[inside], plain.voxels[inside])
    errors = [max(check.rmse for check in each.trust.slices) for each in (corrected, as_it_is)]
    assert errors[0] < errors[1]


@pytest.mark.parametrize("how", [{"degrees": 16.5}, {"z_mm": np.delete(EVEN, 4)}])
def test_what_padding_holds_changes_nothing_that_was_measured(tmp_path, how):
    """A round field of view, padded; the numbers outside are no measurement."""
    scan = acquired(scene.series(tmp_path / "s", **{"z_mm": EVEN, **how}))
    row, column = np.indices(scene.SHAPE)
    outside = np.hypot(row - 43.5, column - 45.5) > 43
    mask = np.broadcast_to(outside, scan.voxels.shape)
    results = []
    for number in (-1024, -3024):
        padding = Padding.of(mask, np.full(mask.shape, number, np.float32))
        assert padding is not None
        voxels = filled(scan.voxels, mask, "CT")
        padded = scan._replace(voxels=voxels, padding=padding)
        results.append(restore(padded, method="linear", run=RUN))
    first, second = (result.volume for result in results)
    inside = ~first.padded()
    assert 0.1 < inside.mean() < 0.9
    np.testing.assert_array_equal(first.voxels[inside], second.voxels[inside])
    assert max(check.rmse for check in results[1].trust.slices) < 2.5
