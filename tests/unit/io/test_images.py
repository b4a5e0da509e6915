"""Image files of any name: what is written like them has their axes, and all their files count."""

import gzip
import json
import zipfile
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK

from support import image_maker
from support.nifti_maker import TURNS, reordered, saved, scan_ras
from support.reading_law import RAS_TO_LPS
from thinslice.errors import Refused
from thinslice.io import files
from thinslice.workflow.scan_files import scan_files

ORDER = (2, 0, 1), (-1, 1, -1)


def nifti2(folder, values, affine):
    nib.save(nib.Nifti2Image(values, affine), folder / "in.nii.gz")
    return folder / "in.nii.gz"


def gzip_named_nii(folder, values, affine):
    path = saved(folder / "in.nii", values, affine)
    path.write_bytes(gzip.compress(path.read_bytes()))
    return path


def plain_named_gz(folder, values, affine):
    return saved(folder / "in.nii", values, affine).rename(folder / "in.nii.gz")


def capitals(folder, values, affine):
    return saved(folder / "in.nii.gz", values, affine).rename(folder / "IN.NII.GZ")


def pair(folder, values, affine):
    nib.save(nib.Nifti1Pair(values, affine), folder / "in.img")
    return folder / "in.hdr"


def beside_a_sidecar(folder, values, affine):
    (folder / "a.json").write_text('{"SliceThickness": 4}')
    return saved(folder / "a.nii.gz", values, affine)


def zipped(folder, values, affine):
    path = beside_a_sidecar(folder, values, affine)
    with zipfile.ZipFile(folder / "in.zip", "w") as archive:
        for name in ("a.nii.gz", "a.json"):
            archive.write(folder / name, f"scan/{name}")
    path.unlink()
    return folder / "in.zip"


KINDS = [nifti2, gzip_named_nii, plain_named_gz, capitals, pair, beside_a_sidecar, zipped]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_written_like_an_image_has_its_axes(tmp_path, kind):
    values, affine = reordered(*scan_ras(TURNS["oblique"]), *ORDER)
    scan = files.read(kind(tmp_path, values, affine))
    files.write(scan.volume, tmp_path / "out.nii.gz", source=scan)
    image: Any = nib.Nifti1Image.from_filename(tmp_path / "out.nii.gz")
    np.testing.assert_array_equal(np.asarray(image.dataobj), values)
    np.testing.assert_allclose(image.affine, np.asarray(affine), atol=1e-4)


def test_a_sidecar_in_a_zip_is_read_with_its_image(tmp_path):
    scan = files.read(zipped(tmp_path, *scan_ras()))
    assert scan.source["thickness_from"] == "sidecar"
    assert sorted(scan.members) == ["scan/a.json", "scan/a.nii.gz"]


@pytest.mark.parametrize("maker", [image_maker.nrrd, image_maker.meta])
@pytest.mark.parametrize("turn", TURNS)
def test_simpleitk_sees_the_same_places(tmp_path, maker, turn):
    values, affine = reordered(*scan_ras(TURNS[turn]), *ORDER)
    path = maker(tmp_path / ("a.nrrd" if maker is image_maker.nrrd else "a.mha"), values, affine)
    volume, theirs = files.read(path).volume, SimpleITK.ReadImage(str(path))
    for zyx in np.ndindex(volume.grid.zyx):
        place = (volume.grid.affine() @ [*zyx, 1])[:3]
        index = theirs.TransformPhysicalPointToIndex(place.tolist())
        assert theirs[index] == volume.voxels[zyx]
        np.testing.assert_allclose(theirs.TransformIndexToPhysicalPoint(index), place, atol=1e-4)
        made = (RAS_TO_LPS @ affine @ [*index, 1])[:3]
        np.testing.assert_allclose(made, place, atol=1e-4)


def test_every_file_of_an_image_is_listed(tmp_path):
    image_maker.meta(tmp_path / "a.mhd", data_file="a.raw", packed=False)
    image_maker.nrrd(tmp_path / "b.nhdr", data_file="b.raw.gz")
    pair(tmp_path, *scan_ras())
    sidecar = {"SliceThickness": 4}
    for stem in ("a", "b", "in", "other"):
        (tmp_path / f"{stem}.json").write_text(json.dumps(sidecar))
    listed = {
        "a.mhd": ["a.json", "a.mhd", "a.raw"],
        "b.nhdr": ["b.json", "b.nhdr", "b.raw.gz"],
        "in.hdr": ["in.hdr", "in.img", "in.json"],
        "in.img": ["in.hdr", "in.img", "in.json"],
    }
    for name, expected in listed.items():
        assert [file.name for file in scan_files(tmp_path / name)] == expected
        assert [file.name for file in files.read(tmp_path / name).files] == expected
    below = [file.name for file in scan_files(tmp_path)]
    assert sorted({*below}) == sorted({name for names in listed.values() for name in names})


def test_a_header_whose_data_are_gone_is_listed_alone(tmp_path):
    path = image_maker.meta(tmp_path / "a.mhd", data_file="a.raw")
    (tmp_path / "a.raw").unlink()
    assert [file for file in scan_files(path) if file.exists()] == [path]


ENDINGS = (".mha", ".nrrd", ".img", ".hdr", ".mgz", ".NII.GZ", ".NII", ".dcm", ".zip", ".npy")


@pytest.mark.parametrize("ending", [*ENDINGS, ".json", ".tar.gz", ".Zarr"])
def test_an_ending_that_is_not_written_is_refused_by_its_name(tmp_path, ending):
    with pytest.raises(Refused, match=r"which is not written; expected .nii, .nii.gz"):
        files.refuse_taken(tmp_path / f"out{ending}")


def test_values_are_mapped_to_hu_as_declared_in_any_format(tmp_path):
    values, affine = scan_ras()
    unit = ((values + 1024.0) / 4096).astype(np.float32)
    paths = [image_maker.nrrd(tmp_path / "a.nrrd", unit, affine)]
    paths += [image_maker.meta(tmp_path / "a.mha", unit, affine)]
    paths += [saved(tmp_path / "a.nii", unit, affine)]
    for path in paths:
        scan = files.read(path, unit_window=(-1024, 3072))
        assert scan.source["unit_window"] == [-1024, 3072]
        np.testing.assert_allclose(
            sorted(scan.volume.voxels.ravel()), sorted(values.ravel()), atol=1e-3
        )
