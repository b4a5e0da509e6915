"""The body mask holds the patient whole, and neither the table nor the air."""

import numpy as np

from thinslice.metrics.body_mask import body_mask, mask_digest


def patient(n=6, size=72):
    """A disk of tissue with two lungs above a thin table, air around."""
    y, x = np.mgrid[:size, :size]
    hu = np.full((n, size, size), -1000, np.float32)
    body = np.hypot(y - 30, x - 36) < 24
    hu[:, body] = 40
    hu[:, np.hypot(y - 28, x - 26) < 8] = -850
    hu[:, np.hypot(y - 28, x - 46) < 8] = -850
    hu[:, 60:63] = 200
    return hu, np.broadcast_to(body, hu.shape)


def test_body_holds_the_lungs_up_to_the_last_slice_and_no_table():
    hu, body = patient()
    found = body_mask(hu, (1.0, 1.0))
    assert (found == body).mean() > 0.99
    assert found[0, 28, 26]
    assert found[-1, 28, 46]
    assert not found[:, 58:].any()


def test_body_is_one_piece():
    hu, _ = patient()
    hu[2:4, 5:14, 2:11] = 100  # thick enough to survive the opening
    assert not body_mask(hu, (1.0, 1.0))[:, 5:14, 2:9].any()


def test_opening_is_in_millimetres():
    """Six pixels are a sheet at 0.25 mm, and a body at 1 mm."""
    sheet = np.full((1, 40, 40), -1000, np.float32)
    sheet[:, 20:26] = 100
    assert not body_mask(sheet, (0.25, 0.25)).any()
    assert body_mask(sheet, (1.0, 1.0)).sum() == 240


def test_opening_follows_each_axis():
    """Pixels 1 mm along y and 0.25 mm along x: the opening is a disk in millimetres."""
    sheet = np.full((1, 40, 40), -1000, np.float32)
    sheet[:, :, 20:26] = 100
    assert not body_mask(sheet, (1.0, 0.25)).any()
    assert body_mask(sheet, (0.25, 1.0)).sum() == 240


def test_a_table_that_touches_the_body_is_taken_off():
    hu, body = patient()
    hu[:, 52:54] = 200
    assert (body_mask(hu, (0.6, 0.6)) == body).mean() > 0.99


def test_air_inside_a_body_cut_by_the_image_stays_out_where_it_meets_the_edge():
    hu = np.full((1, 30, 30), 40, np.float32)
    hu[:, 10:20, :12] = -1000
    hu[:, 10:20, 18:24] = -1000
    found = body_mask(hu, (1.0, 1.0))[0]
    assert not found[12:18, 0].any()
    assert found[12:18, 20].all()


def test_digest_sees_one_voxel_and_the_shape():
    mask = np.zeros((4, 8, 8), bool)
    other = mask.copy()
    other[1, 2, 3] = True
    digests = {mask_digest(m) for m in (mask, other, mask.reshape(8, 4, 8))}
    assert len(digests) == 3
    assert mask_digest(mask.copy(order="F")) == mask_digest(mask)
