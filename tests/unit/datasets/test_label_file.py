"""Labels in a file are taken where the grid's voxels lie, whatever the file's axes."""

import nibabel as nib
import numpy as np
import pytest

from support.published_sets import kits_folder, write_scan
from thinslice.datasets import kits23
from thinslice.datasets._label_file import labels_on
from thinslice.errors import Refused
from thinslice.io.nifti.read import read_nifti
from thinslice.volume import Grid


def labels_like(path, most=3):
    """Labels where the scan is bright, in the file's own axes."""
    image = nib.load(path)
    return (np.asarray(image.dataobj) > 100).astype(np.uint8) * most, image.affine


def test_they_follow_the_scan_through_axes_crops_and_steps(tmp_path):
    kits_folder(tmp_path, ["case_00000"])
    path = tmp_path / "case_00000/imaging.nii.gz"
    labels, ras = labels_like(path)
    write_scan(tmp_path / "labels.nii.gz", labels, ras)
    scan = read_nifti(path).volume
    expected = (scan.voxels > 100) * 3
    assert np.array_equal(labels_on(tmp_path / "labels.nii.gz", scan.grid, 3), expected)
    g = scan.grid
    origin = np.array(g.origin_mm) + 2 * g.pixel_mm[0] * np.array(g.direction[1])
    part = Grid(
        4, 2 * g.increment_mm, 1.0, (g.shape[0] - 4, g.shape[1]), g.pixel_mm,
        g.start_mm + g.increment_mm, tuple(origin), g.direction,
    )  # fmt: skip
    found = labels_on(tmp_path / "labels.nii.gz", part, 3)
    assert np.array_equal(found, expected[1:9:2, 2:-2])


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda labels, ras: (labels[:, :4], ras), "labels of the whole scan"),
        (lambda labels, ras: (labels * 2, ras), "0 to 3"),
        (lambda labels, ras: (labels, ras @ _turned()), "turned against the scan"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path, change, word):
    kits_folder(tmp_path, ["case_00000"])
    path = tmp_path / "case_00000/imaging.nii.gz"
    write_scan(tmp_path / "labels.nii.gz", *change(*labels_like(path)))
    with pytest.raises(Refused, match=word):
        labels_on(tmp_path / "labels.nii.gz", read_nifti(path).volume.grid, 3)


def test_kits23_gives_the_labels_of_its_prepared_scans_where_they_are_asked_for(tmp_path):
    names = [row.case for row in kits23.build(folder=str(tmp_path), limit=1).rows]
    kits_folder(tmp_path, names)
    for name in names:
        labels, ras = labels_like(tmp_path / name / "imaging.nii.gz", 2)
        write_scan(tmp_path / name / "segmentation.nii.gz", labels, ras)
    data = kits23.build(folder=str(tmp_path), limit=1, labels=True)
    assert len(data.files(tmp_path)) == 2 * len(names)
    case = next(data.cases(tmp_path))
    found = data.labels(tmp_path)[case.name](case.thin.grid)
    assert np.array_equal(found, (case.thin.voxels > 100) * 2)
    with pytest.raises(Refused, match="labels: true"):
        kits23.build(folder=str(tmp_path), limit=1).labels(tmp_path)


def _turned() -> np.ndarray:
    angle = np.deg2rad(20)
    out = np.eye(4)
    out[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    return out
