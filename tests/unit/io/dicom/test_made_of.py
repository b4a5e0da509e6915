"""What a derived series keeps of sources that differ from slice to slice, and which it names."""

import warnings

import pydicom
from pydicom.dataset import Dataset

from support import dicom_maker as maker
from support.derived_series import SAID, written
from thinslice.io import files
from thinslice.io.dicom.derived_header import Derivation
from thinslice.io.dicom.write import write_dicom


def test_ratio_and_method_of_lossy_slices_are_kept(tmp_path):
    def lossy(k, data):
        data.LossyImageCompression = "01"
        data.LossyImageCompressionRatio = [2, 8 + k] if k % 2 else 9
        data.LossyImageCompressionMethod = "ISO_15444_1"

    _, images = written(tmp_path, change=lossy)
    for data in images:
        assert (data.LossyImageCompressionRatio, data.LossyImageCompressionMethod) == (
            11,
            "ISO_15444_1",
        )


def test_a_slice_names_the_sources_it_reaches_into(tmp_path):
    """Slices of 5 mm every 2.5 mm: a thin one of 2.5 mm reaches into those within 3.75 mm."""
    found, images = written(tmp_path)
    heads = [pydicom.dcmread(path) for path in found.files]
    places = {head.SOPInstanceUID: head.ImagePositionPatient[2] for head in heads}
    for data in images:
        z_mm = data.ImagePositionPatient[2]
        named = {item.ReferencedSOPInstanceUID for item in data.SourceImageSequence}
        assert named == {uid for uid, at in places.items() if abs(at - z_mm) <= 3.75}


def test_sources_beyond_gaps_are_the_two_that_a_slice_lies_between(tmp_path):
    found, images = written(tmp_path, thickness_mm=0.5)
    heads = [pydicom.dcmread(path) for path in found.files]
    places = {head.SOPInstanceUID: head.ImagePositionPatient[2] for head in heads}
    for data in images:
        named = [item.ReferencedSOPInstanceUID for item in data.SourceImageSequence]
        nearest = sorted(abs(at - data.ImagePositionPatient[2]) for at in places.values())[:2]
        assert max(abs(places[u] - data.ImagePositionPatient[2]) for u in named) <= nearest[1]
        assert len(named) >= 2


def test_frames_of_an_enhanced_source_are_named_by_number(tmp_path):
    places = maker.positions_of(6, 2.0)
    data = maker.enhanced(tmp_path / "e.dcm", maker.scan_hu(), places)
    data.save_as(tmp_path / "e.dcm", enforce_file_format=True)
    found = files.read(tmp_path / "e.dcm")
    out = write_dicom(found.volume, tmp_path / "out", source=found.files, derivation=SAID)
    (item,) = pydicom.dcmread(out[2]).SourceImageSequence
    assert item.ReferencedSOPInstanceUID == data.SOPInstanceUID
    assert list(item.ReferencedFrameNumber) == [1, 2, 3, 4, 5]


def test_series_derived_from_one_without_a_frame_of_reference_share_one(tmp_path):
    def silent(k, data):
        data.SeriesInstanceUID = "1.2.3"

    found, images = written(tmp_path, change=silent)
    other = Derivation("Otherwise.", "other", "linear")
    out = write_dicom(found.volume, tmp_path / "b", source=found.files, derivation=other)
    again = pydicom.dcmread(out[0])
    frames = {data.FrameOfReferenceUID for data in [*images, again]}
    assert len(frames) == 1
    assert frames.pop().is_valid
    assert again.SeriesInstanceUID != images[0].SeriesInstanceUID


def test_character_sets_that_differ_between_slices_become_utf_8(tmp_path):
    name = "\u738b^\u5c0f\u4e1c"
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "1", "99X", "\u738b"

    def named(k, data):
        data.SpecificCharacterSet = ("ISO_IR 192", "GB18030")[k % 2]
        data.PatientName, data.InstitutionName, data.PatientID = name, "\u5c0f", "4711"
        data.ProcedureCodeSequence = [item]

    _, images = written(tmp_path, change=named)
    for data in images:
        assert data.SpecificCharacterSet == "ISO_IR 192"
        assert (str(data.PatientName), data.InstitutionName, data.PatientID) == (
            name,
            "\u5c0f",
            "4711",
        )
        assert data.ProcedureCodeSequence[0].CodeMeaning == "\u738b"


def test_uids_and_numbers_that_break_the_rules_are_noted_once(tmp_path, recwarn):
    def anonymous(k, data):
        data.SeriesInstanceUID, data.StudyInstanceUID = "1.02.3", "words for a UID"
        data.SOPInstanceUID = f"9790.0072.{k:04d}.007"

    positions = maker.positions_of(4, 2.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = maker.series(tmp_path / "in", maker.scan_hu(4, 8, 9), positions, change=anonymous)
    found = files.read(folder)
    (note,) = [note for note in found.source["warnings"] if "UID" in note]
    assert note.startswith("6 UIDs break the rules of DICOM")
    files.write(found.volume, tmp_path / "out", source=found)
    assert not list(recwarn)
