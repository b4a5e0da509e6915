"""Scores of patches: of the same voxels of the restored and the thin scan, each a row."""

from dataclasses import replace

import numpy as np
import pytest

from support.depth_scans import scans
from thinslice.columns import csv_text
from thinslice.jobs.patch_scores import rows_of, scores_of

BOXES = [{"plane": "coronal", "size_mm": 8.0}, {"plane": "axial", "size_mm": 9.0}]


def test_only_errors_inside_a_patch_count():
    thin, thick = scans()
    off = thin.voxels + np.float32(4.095)
    outside = off.copy()
    outside[:4] = 500.0  # below both patches
    restored = {"near": replace(thin, voxels=off), "far": replace(thin, voxels=outside)}
    scores = scores_of(thin, thick, restored, BOXES)
    assert list(scores) == [(1, "near"), (1, "far"), (2, "near"), (2, "far")]
    for score in scores.values():
        assert score.psnr_db == pytest.approx(60.0, abs=1e-3)
    assert scores[1, "near"] == scores[1, "far"]


def test_mr_has_the_range_of_its_thick_scan():
    thin, thick = (replace(scan, modality="MR") for scan in scans())
    restored = {"a": replace(thin, voxels=thin.voxels + 1)}
    low, high = np.percentile(thick.voxels, (0.5, 99.5))
    expected = 20 * np.log10(high - low)
    assert scores_of(thin, thick, restored, BOXES)[1, "a"].psnr_db == pytest.approx(expected)


def test_every_score_has_a_row_of_the_table():
    thin, thick = scans()
    restored = {"a": replace(thin, voxels=thin.voxels + 1), "b": thin}
    scores = scores_of(thin, thick, restored, BOXES)
    rows = rows_of(scores, BOXES, "p0", "phantom")
    assert len(rows) == 2 * 2 * 2
    assert rows[0]["value"] == scores[1, "a"].psnr_db
    assert [row["view"] for row in rows[:5:4]] == ["coronal", "axial"]
    assert csv_text(rows).count("\n") == 9
