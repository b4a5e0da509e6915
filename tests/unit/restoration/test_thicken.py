"""A thin scan made thick: the simulation of the workflow, on a scan of one's own."""

import json

import jsonschema
import numpy as np
import pydicom
import pytest
import SimpleITK

from support import dicom_maker as maker
from support.nifti_maker import saved
from thinslice import plugins, read, thicken, write
from thinslice.cli import main
from thinslice.errors import Refused
from thinslice.operators.degradation import thick_of
from thinslice.restoration import writing
from thinslice.volume import Grid, Volume

SCHEMA = json.loads(writing.SCHEMA.read_text())
GRID = Grid(40, 1.0, 1.0, (6, 8), (0.7, 0.9), start_mm=-7.5)
SHAPES = ("box", "gaussian", "trapezoid_bell")


def noise(grid=GRID):
    hu = np.random.default_rng(3).integers(-1000, 1500, grid.zyx)
    return Volume(hu.astype(np.float32), grid)


def ramp(grid=GRID):
    """HU that rise by 7 per mm along z, and by 3 per pixel along x."""
    z, x = grid.centres_mm()[:, None, None], np.arange(grid.shape[1])
    return Volume((7 * z + 3 * x + np.zeros((1, grid.shape[0], 1))).astype(np.float32), grid)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("increment_mm", [None, 2.5, 3.3, 7.0])
def test_it_is_the_simulation_of_the_workflow_bit_for_bit(shape, increment_mm):
    settings = {"shape": shape, "thickness_mm": 5.0, "increment_mm": increment_mm or 5.0}
    card = {"name": "simulated", "module": "profile", "settings": settings}
    expected = thick_of(plugins.build("degradations", card), noise())
    thick = thicken(noise(), thickness_mm=5.0, increment_mm=increment_mm, profile=shape).volume
    np.testing.assert_array_equal(thick.voxels, expected.voxels)
    assert thick.grid == expected.grid


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("increment_mm", [5.0, 2.2])
def test_a_ramp_stays_a_ramp(shape, increment_mm):
    thick = thicken(ramp(), thickness_mm=5.0, increment_mm=increment_mm, profile=shape).volume
    inner = slice(2, -2)  # the tails of a bell are cut at the ends of the scan
    np.testing.assert_allclose(
        thick.voxels[inner], ramp(thick.grid).voxels[inner], atol=2e-3 if shape == "box" else 0.05
    )


def test_a_constant_stays_and_pixels_keep_their_place():
    flat = Volume(np.full(GRID.zyx, 40, np.float32), GRID)
    thick = thicken(flat, thickness_mm=4.0).volume
    np.testing.assert_allclose(thick.voxels, 40, rtol=1e-6)
    assert (thick.grid.shape, thick.grid.pixel_mm) == (GRID.shape, GRID.pixel_mm)
    assert thick.grid.origin_mm == GRID.origin_mm
    assert (thick.grid.thickness_mm, thick.grid.increment_mm) == (4.0, 4.0)
    assert thick.grid.n == 10


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"thickness_mm": 1.0}, "the scan's are 1 mm thick"),
        ({"thickness_mm": 0.5}, "the scan's are 1 mm thick"),
        ({"thickness_mm": 5.0, "increment_mm": 0.5}, "the scan's are 1 mm apart"),
        ({"thickness_mm": 50.0}, "no slice of 50 mm fits"),
        ({"thickness_mm": 5.0, "profile": "bell"}, "none of box, gaussian, trapezoid_bell"),
    ],
)
def test_what_cannot_be_thickened_is_refused(arguments, words):
    with pytest.raises(Refused, match=words):
        thicken(noise(), **arguments)


def dicom(folder):
    """Thirty slices of 1 mm, of one patient."""

    def named(_, data):
        data.PatientID, data.StudyInstanceUID = "P1", "2.25.77"

    hu = maker.scan_hu(30, 6, 8)
    positions = [tuple(map(float, place)) for place in maker.positions_of(30, 1.0)]
    return maker.series(folder, hu, positions, thickness_mm=1.0, change=named)


def statement_of(out):
    statement = json.loads(out.with_name(out.name + ".thinslice.json").read_text())
    jsonschema.validate(statement, SCHEMA)
    return statement


def thickened(capsys, *words):
    capsys.readouterr()
    return main(["thicken", *map(str, words)]), *capsys.readouterr()


@pytest.mark.parametrize("name", ["out", "out.nii.gz", "out.zarr"])
def test_the_command_writes_what_the_function_makes(tmp_path, capsys, name):
    source = dicom(tmp_path / "in")
    status, printed, errors = thickened(capsys, source, tmp_path / name, "--thickness", "5")
    assert (status, errors) == (0, "")
    assert "5 mm thick every 5 mm" in printed
    expected = thicken(read(source), thickness_mm=5).volume
    again = read(tmp_path / name, thickness_mm=5.0).volume
    np.testing.assert_array_equal(again.voxels, np.rint(expected.voxels))
    assert again.grid.same_place(expected.grid, 1e-3)
    statement = statement_of(tmp_path / name)
    assert statement["degradation"]["settings"]["shape"] == "box"
    assert len(statement["input"]["files"]) == 30
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in", name, f"{name}.thinslice.json"]


def test_a_dicom_series_is_derived_of_the_same_patient(tmp_path):
    source = dicom(tmp_path / "in")
    write(thicken(read(source), thickness_mm=5, increment_mm=2.5), tmp_path / "out")
    first, second = (
        pydicom.dcmread(min((tmp_path / name).glob("*.dcm"))) for name in ("in", "out")
    )
    assert second.PatientID == first.PatientID
    assert second.StudyInstanceUID == first.StudyInstanceUID
    assert second.SeriesInstanceUID != first.SeriesInstanceUID
    assert list(second.ImageType)[:2] == ["DERIVED", "SECONDARY"]
    assert (second.SliceThickness, second.SpacingBetweenSlices) == (5, 2.5)
    assert "computed by thinslice (box profile)" in second.DerivationDescription
    reader = SimpleITK.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "out")))
    assert reader.Execute().GetSpacing()[2] == pytest.approx(2.5)


def test_nothing_is_written_where_nothing_may_be(tmp_path, capsys):
    source = dicom(tmp_path / "in")
    out = tmp_path / "out.nii.gz"
    status, printed, _ = thickened(capsys, source, out, "--thickness", "5", "--dry-run")
    assert status == 0
    assert "dry run" in printed
    assert not out.exists()
    assert thickened(capsys, source, out, "--thickness", "5")[0] == 0
    for words, reason in (
        ((source, out, "--thickness", "4"), "something there already"),
        ((source, source / "x", "--thickness", "4"), "which holds the scan"),
        ((source, tmp_path / "x.mha", "--thickness", "4"), "the ending .mha"),
        ((source, tmp_path / "x", "--thickness", "1"), "ask for thicker ones"),
        ((tmp_path / "none", tmp_path / "x", "--thickness", "4"), "nothing there"),
    ):
        status, _, errors = thickened(capsys, *words)
        assert status == 2
        assert reason in errors
        assert len(errors.splitlines()) == 1
    before = out.read_bytes()
    assert thickened(capsys, source, out, "--thickness", "4", "--overwrite")[0] == 0
    assert out.read_bytes() != before


def test_a_preview_of_what_was_replaced_does_not_stay(tmp_path, capsys):
    source, out = dicom(tmp_path / "in"), tmp_path / "out.nii.gz"
    assert thickened(capsys, source, out, "--thickness", "5")[0] == 0
    preview = out.with_name(out.name + ".preview.png")
    preview.write_bytes(b"of a restored scan")
    assert thickened(capsys, source, out, "--thickness", "4", "--overwrite")[0] == 0
    assert not preview.exists()


def test_a_sidecar_beside_in_bars_no_out_beside_it(tmp_path, capsys):
    values = np.random.default_rng(0).integers(-1000, 1000, (8, 6, 30)).astype(np.int16)
    path = saved(tmp_path / "thin.nii.gz", values, np.diag([0.7, 0.9, 1.0, 1.0]))
    (tmp_path / "thin.json").write_text('{"SliceThickness": 1.25, "ConvolutionKernel": "B70f"}')
    out = tmp_path / "thick.nii.gz"
    assert thickened(capsys, path, out, "--thickness", "5")[0] == 0
    statement = statement_of(out)
    assert statement["input"]["source"]["kernel"] == "B70f"
    assert statement["grids"]["input"]["thickness_mm"] == 1.25
    assert sorted(statement["input"]["files"]) == ["thin.json", "thin.nii.gz"]
    assert thickened(capsys, path, path, "--thickness", "5", "--overwrite")[0] == 2
