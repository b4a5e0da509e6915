"""Slices for the viewer: every shade comes back, at its place in mm, and all of it is small."""

import base64

import cv2
import numpy as np
import pytest

from thinslice.report.pictures import slices
from thinslice.report.pictures.shades import CT_KNOTS, from_shades, to_shades
from thinslice.report.pictures.slices import document
from thinslice.volume import Grid, Modality, Volume

RANDOM = np.random.default_rng(0)


def volume(
    n: int, shape=(12, 16), increment=1.0, start=0.0, pixel=(2.0, 2.0), modality: Modality = "CT"
):
    voxels = RANDOM.uniform(-900, 900, (n, *shape)).astype(np.float32)
    grid = Grid(n, increment, increment, shape, pixel, start_mm=start)
    return Volume(voxels, grid, modality=modality)


def case() -> dict[str, Volume]:
    return {"thin": volume(20), "thick": volume(4, increment=5.0, start=2.0), "linear": volume(20)}


def decoded(packed: dict) -> np.ndarray:
    """The shades [z, y, x] that the viewer reads from an image."""
    data = base64.b64decode(packed["image"].removeprefix(slices.TEXT))
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    n, height, width = packed["shape"]
    at = [divmod(k, packed["across"]) for k in range(n)]
    return np.stack(
        [image[d * height : (d + 1) * height, a * width : (a + 1) * width] for d, a in at]
    )


def test_every_shade_of_every_volume_comes_back():
    scans = case()
    drawn = document([("p0", scans)], dataset="own")
    assert drawn["dataset"] == "own"
    (only,) = drawn["cases"]
    assert only["lossless"]
    for packed in only["volumes"]:
        expected = to_shades(scans[packed["name"]].read(), CT_KNOTS)
        assert np.array_equal(decoded(packed), expected)


def test_thick_slices_lie_where_they_were():
    (only,) = document([("p0", case())])["cases"]
    at = {packed["name"]: (packed["first_mm"], packed["step_mm"]) for packed in only["volumes"]}
    assert at["thin"] == ([0, 0, 0], [1, 2, 2])
    assert at["thick"] == ([2, 0, 0], [5, 2, 2])


def test_the_same_scans_are_the_same_text():
    scans = case()
    assert document([("p0", scans)]) == document([("p0", scans)])


def test_large_scans_are_averaged_and_cut_to_their_middle(monkeypatch):
    monkeypatch.setattr(slices, "MOST_SIDE", 8)
    monkeypatch.setattr(slices, "MOST_SLICES", 10)
    scans = case()
    (only,) = document([("p0", scans)])["cases"]
    assert (only["averaged"], only["slices_of"]) == (2, [6, 15, 20])
    thin = only["volumes"][0]
    assert thin["shape"] == [10, 6, 8]
    assert (thin["first_mm"], thin["step_mm"]) == ([5, 1, 1], [1, 4, 4])
    means = scans["thin"].read()[5:15].reshape(10, 6, 2, 8, 2).mean((2, 4))
    assert np.array_equal(decoded(thin), to_shades(means, CT_KNOTS))
    thick = only["volumes"][1]
    assert thick["first_mm"][0] == 7.0
    assert thick["shape"][0] == 2  # those that reach into the slab


def test_further_cases_are_shown_while_they_fit(monkeypatch):
    both = [("p0", case()), ("p1", case())]
    assert [each["case"] for each in document(both)["cases"]] == ["p0", "p1"]
    _, size = slices._case(*both[0])
    monkeypatch.setattr(slices, "BUDGET_BYTES", round(1.5 * size))
    assert [each["case"] for each in document(both)["cases"]] == ["p0"]


def test_the_first_case_is_always_shown_if_need_be_with_loss(monkeypatch):
    monkeypatch.setattr(slices, "BUDGET_BYTES", 10)
    scans = case()
    (only,) = document([("p0", scans), ("p1", case())])["cases"]
    assert not only["lossless"]
    worst = max(
        np.abs(from_shades(decoded(packed), CT_KNOTS) - from_shades(shades, CT_KNOTS)).mean()
        for packed in only["volumes"]
        for shades in [to_shades(scans[packed["name"]].read(), CT_KNOTS)]
    )
    assert 0 < only["loss"] == pytest.approx(worst, rel=0.1)


def test_what_cannot_be_shown_is_not_compressed(monkeypatch):
    monkeypatch.setattr(slices, "BUDGET_BYTES", 10)
    tried, compress = [], slices._webp

    def counted(shades, quality):
        tried.append(quality)
        return compress(shades, quality)

    monkeypatch.setattr(slices, "_webp", counted)
    document([("p0", case()), ("p1", case())])
    *rejected, least = slices.QUALITIES
    assert tried == [*rejected, least, least, least]  # one volume tells; the least is for all three


def test_mr_has_shades_of_its_own():
    scans = {key: volume(8, modality="MR") for key in ("thin", "thick", "linear")}
    (only,) = document([("p0", scans)])["cases"]
    low, high = np.percentile(scans["thick"].read(), (0.5, 99.5))
    assert only["knots"] == [[0, pytest.approx(low)], [255, pytest.approx(high)]]


def test_without_thin_scans_the_restored_one_is_the_frame():
    scans = case()
    del scans["thin"]
    (only,) = document([("p0", scans)])["cases"]
    assert [packed["name"] for packed in only["volumes"]] == ["thick", "linear"]
    assert document([]) == {"cases": []}
