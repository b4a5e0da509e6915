"""Pairs of one acquisition are certified; what is planted is named by the right reason."""

import tarfile
from dataclasses import replace

import numpy as np
import pytest

from support import dicom_maker as maker
from support import reconstruction_pairs as made
from support.paths import REAL_SCANS
from support.planted_pairs import certified, planted
from thinslice.pairs import images
from thinslice.pairs.certificate import CODES, Certificate, Reason
from thinslice.pairs.certify import certify
from thinslice.pairs.prediction import Block
from thinslice.pairs.reconstructions import reconstruction_at
from thinslice.volume import Grid, Volume

PLANTED, CERTIFIED = planted(), certified()


@pytest.fixture(scope="module")
def thin(tmp_path_factory):
    folder = tmp_path_factory.mktemp("thin")
    return made.thin_at(folder, change=made.tagged(NominalPercentageOfCardiacPhase=75))


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_named(tmp_path, thin, name):
    case = PLANTED[name]
    found = certify(thin, made.thick_at(tmp_path / "thick", **case.how))
    assert found.codes == case.codes
    assert found.verdict != "certified"
    assert case.words in found.reasons[0].text


def test_missing_slices_are_named(tmp_path, thin):
    made.thick_at(tmp_path).slices[4].path.unlink()
    found = certify(thin, reconstruction_at(tmp_path))
    assert found.codes == ("stack",)
    assert "1 missing" in found.reasons[0].text


def test_most_of_the_thick_scan_beside_the_thin_one(tmp_path, thin):
    long = np.concatenate([made.thick_hu(), np.full((14, 64, 64), -1000.0)])
    found = certify(thin, made.thick_at(tmp_path, long))
    assert found.codes == ("table_range_partly",)
    assert "11 of 25 thick slices" in found.reasons[0].text


@pytest.mark.parametrize("name", CERTIFIED)
def test_nothing_wrong_is_certified(tmp_path, thin, name):
    found = certify(thin, made.thick_at(tmp_path / "thick", **CERTIFIED[name]))
    assert (found.verdict, found.codes) == ("certified", ())
    assert found.measured.fwhm_mm == pytest.approx(4.9, abs=0.15)
    assert found.measured.z_offset_mm == pytest.approx(0.0, abs=0.1)
    assert found.measured.shared_noise > 0.5


def test_files_and_axes_in_any_order_are_the_same_pair(tmp_path):
    """Slices stored from head to feet, rows from back to front: another file, the same scan."""
    flipped = ((1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
    places = [(-30, 32, made.THIN_START + k) for k in range(len(made.thin_hu()))]

    def change(k, data):
        made.tagged()(k, data)

    turned = maker.series(
        tmp_path / "a", np.rint(made.thin_hu()[:, ::-1]), places, change=change,
        plane=flipped, pixel_mm=made.PIXEL_MM, thickness_mm=1.0,
    )  # fmt: skip
    found = certify(reconstruction_at(turned), made.thick_at(tmp_path / "b"))
    assert found.codes == ()
    assert found.measured.z_offset_mm == pytest.approx(0.0, abs=0.05)


def test_numbers_of_acquisitions_count_where_noise_cannot_tell(monkeypatch, tmp_path, thin):
    def without_noise(blocks, kernel):
        found = compare(blocks, kernel)
        return found._replace(measured=replace(found.measured, shared_noise=None))

    compare = images.compare
    monkeypatch.setattr(images, "compare", without_noise)
    thick = made.thick_at(tmp_path, change=made.tagged(AcquisitionNumber=7))
    found = certify(thin, thick)
    assert found.codes == ("acquisition_number",)


def test_still_images_without_noise_are_one_acquisition_only_if_the_headers_say_so(tmp_path):
    """Another exposure of a patient who lay still, denoised: nothing in the images tells."""
    still = [made.body() + 0.05 * made.quanta(k) for k in (0, 1)]
    thin = made.thin_at(tmp_path / "thin", made.seen(still[0], made.THIN_START, 1.0, 56))
    hu = made.seen(still[1], made.THICK_START, made.THICK_MM, 11)
    stated = certify(thin, made.thick_at(tmp_path / "stated", hu))
    assert stated.measured.shared_noise is None
    assert stated.codes == ()
    assert "the headers alone say" in stated.notes[-1]
    silent = made.thick_at(tmp_path / "silent", hu, change=made.tagged(AcquisitionTime=None))
    assert certify(thin, silent).codes == ("noise",)


def test_uids_that_are_missing_are_noted(tmp_path, thin):
    thick = made.thick_at(tmp_path, change=made.tagged(FrameOfReferenceUID=None))
    found = certify(thin, thick)
    assert found.codes == ()
    assert found.notes == ("no FrameOfReferenceUID in one of the two",)


def test_the_worst_reason_is_the_verdict():
    reasons = (Reason("kernel", ""), Reason("anatomy", ""), Reason("gap", ""))
    assert Certificate(reasons, {}).verdict == "rejected"
    assert Certificate(reasons[:1], {}).verdict == "flagged"
    assert Certificate((), {}).verdict == "certified"
    assert set(CODES) >= {code for case in PLANTED.values() for code in case.codes}


@pytest.mark.skipif(not (REAL_SCANS / "pair").is_dir(), reason="no real scans beside the checkout")
def test_the_real_pair_is_certified():
    nibabel = pytest.importorskip("nibabel")
    names = ("phantom_head_philips_1mm_UB_iDose2.nii.gz", "phantom_head_philips_5mm_UB.nii.gz")
    a, b = (
        np.ascontiguousarray(np.asarray(nibabel.load(REAL_SCANS / "pair" / n).dataobj).T, "f4")
        for n in names
    )
    thin = Volume(a, Grid(80, 1.0, 1.0, a.shape[1:], (0.451, 0.451)))
    thick = Volume(b, thin.grid.with_slices(n=16, increment_mm=5.0, thickness_mm=5.0, start_mm=2.0))
    found = images.compare([Block(thin, thick)], "same")
    assert found.reasons == []
    assert found.measured.slices == 14
    assert found.measured.rmse_hu < 4
    assert found.measured.fwhm_mm == pytest.approx(4.8, abs=0.05)
    assert found.measured.shared_noise > 0.7


@pytest.mark.slow
@pytest.mark.skipif(not (REAL_SCANS / "dicom").is_dir(), reason="no real scans beside the checkout")
def test_the_real_pair_is_certified_from_its_files(tmp_path):
    for name in ("phantom_pair_1mm_UB_iDose2_z40-64", "phantom_pair_5mm_UB_z8-12"):
        with tarfile.open(REAL_SCANS / "dicom" / f"{name}.tar.xz") as packed:
            packed.extractall(tmp_path, filter="data")
    paths = [reconstruction_at(path) for path in sorted(tmp_path.iterdir())]
    found = certify(*sorted(paths, key=lambda each: each.thickness_mm))
    assert (found.verdict, found.codes) == ("certified", ())
    assert found.measured.rmse_hu < 4.5
