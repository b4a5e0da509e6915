"""NIfTI files that cannot be read exactly are refused in one line, with the numbers."""

import gzip

import nibabel as nib
import numpy as np
import pytest

from support.nifti_maker import saved, scan_ras
from thinslice.errors import Refused
from thinslice.io.nifti.read import read_nifti
from thinslice.io.read import read_scan


def refusal(path, **declared):
    with pytest.raises(Refused) as caught:
        read_scan(path, **declared)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{path}: found ")
    assert "; expected " in line
    return line


def test_4d(tmp_path):
    values, affine = scan_ras()
    path = saved(tmp_path / "a.nii.gz", np.stack([values, values], axis=-1), affine)
    assert "4-D data of shape (4, 5, 6, 2)" in refusal(path)
    one = saved(tmp_path / "b.nii.gz", values[..., None], affine)  # a volume after all
    assert read_nifti(one).volume.grid.zyx == (6, 5, 4)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(tmp_path, bad):
    values, affine = scan_ras()
    values = values.astype(np.float32)
    values[1, 2, 3] = values[0, 0, 0] = bad
    assert "2 voxels that are NaN or infinite, of 120" in refusal(
        saved(tmp_path / "a.nii", values, affine)
    )


def test_no_geometry(tmp_path):
    values, _ = scan_ras()
    image = nib.Nifti1Image(values, None)
    image.header.set_zooms((0.7, 0.7, 5.0))
    nib.save(image, tmp_path / "a.nii")
    assert "sform and qform codes 0; voxels 0.7 x 0.7 x 5" in refusal(tmp_path / "a.nii")


def test_sheared_axes(tmp_path):
    values, affine = scan_ras()
    affine[1, 2] = 2.5 * np.tan(np.radians(10))
    line = refusal(saved(tmp_path / "a.nii", values, affine))
    assert "sheared axes, 10 degrees from square" in line


@pytest.mark.parametrize("spacing", [(0.7, 0.9, 2500.0), (0.7e-3, 0.9e-3, 2.5e-3)])
def test_absurd_spacing(tmp_path, spacing):
    values, affine = scan_ras(spacing=np.array(spacing))
    assert f"x {spacing[2]:g} mm; expected 0.01 to 30 mm" in refusal(
        saved(tmp_path / "a.nii", values, affine)
    )


def test_lengths_not_in_mm(tmp_path):
    image = nib.Nifti1Image(*scan_ras())
    image.header.set_xyzt_units("micron")
    nib.save(image, tmp_path / "a.nii")
    assert "lengths in micron" in refusal(tmp_path / "a.nii")


def test_a_single_slice(tmp_path):
    values, affine = scan_ras()
    assert "1 slice" in refusal(saved(tmp_path / "a.nii", values[:, :, :1], affine))


def test_absurd_thickness(tmp_path):
    path = saved(tmp_path / "a.nii", *scan_ras())
    assert "a thickness of 5000 mm" in refusal(path, thickness_mm=5000.0)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("keep", [0.0, 0.01, 0.5, 0.7, 0.99])
def test_truncated(tmp_path, suffix, keep):
    path = saved(tmp_path / f"a{suffix}", *scan_ras())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    line = refusal(path)
    assert "truncated" in line or "bytes that do not begin as NIfTI" in line


def test_a_flipped_byte_under_gzip(tmp_path):
    """Stored deflate blocks decode whatever they hold: only the checksum can tell."""
    plain = saved(tmp_path / "a.nii", *scan_ras()).read_bytes()
    content = bytearray(gzip.compress(plain, compresslevel=0))
    content[-20] ^= 0x10
    (tmp_path / "a.nii.gz").write_bytes(content)
    assert "CRC" in refusal(tmp_path / "a.nii.gz")


def test_garbage(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, 4000, np.uint8).tobytes()
    (tmp_path / "a.nii").write_bytes(noise)
    assert "4000 bytes that do not begin as NIfTI" in refusal(tmp_path / "a.nii")
    (tmp_path / "b.nii").write_bytes((348).to_bytes(4, "little") + noise)
    assert "found" in refusal(tmp_path / "b.nii")


def test_a_folder_named_like_a_file(tmp_path):
    folder = tmp_path / "a.nii.gz"
    folder.mkdir()
    saved(folder / "inner.nii.gz", *scan_ras())
    assert "a folder (holding inner.nii.gz)" in refusal(folder)


def test_colours_and_masks(tmp_path):
    values, affine = scan_ras()
    colours = np.zeros(values.shape, np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")]))
    assert "one real number per voxel" in refusal(saved(tmp_path / "a.nii", colours, affine))
    mask = (values % 2).astype(np.uint8)
    assert "a mask is not a scan" in refusal(
        saved(tmp_path / "b.nii", mask, affine), unit_window=(-1024, 2048)
    )


def test_nothing_there(tmp_path):
    assert "nothing there" in refusal(tmp_path / "a.nii.gz")
