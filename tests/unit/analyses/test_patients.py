"""Scores to patients: of one case each the answer is that of groups, to the bit."""

import numpy as np
import pandas as pd

from support.evidence import demo
from thinslice.analyses._patients import KEYS, per_patient, scores_of


def test_of_one_case_each_patients_are_what_they_are_beside_one_with_two_cases():
    scores = scores_of(demo()).drop_duplicates([*KEYS, "patient"])
    shuffled = scores.iloc[np.random.default_rng(0).permutation(len(scores))]
    first = shuffled.iloc[:1]
    more = pd.concat([shuffled, first.assign(case="again")])  # now patients are grouped
    here, there = per_patient(shuffled, KEYS), per_patient(more, KEYS)
    both = there["cases"] == 2
    assert both.sum() == 1
    pd.testing.assert_frame_equal(here[~both], there[~both])


def test_a_single_case_without_a_finite_value_is_left_out_by_name():
    scores = scores_of(demo()).drop_duplicates([*KEYS, "patient"]).reset_index(drop=True)
    scores.loc[0, "value"] = np.nan
    rows = per_patient(scores, KEYS)
    (named,) = rows.loc[rows["left_out"] != "", "left_out"]
    assert named.startswith(f"scan {scores.loc[0, 'case']}")
    assert (rows["cases"] == 0).sum() == 1
