"""Answers are scored where they fit, and refused by name where they do not."""

import csv
import io
import json

import pytest

from support import studies
from support.studies import BLURRED, SHARP, always
from thinslice.errors import Refused
from thinslice.study import documents, make, score
from thinslice.study.answers import read_all, read_key


@pytest.fixture(scope="module")
def study():
    return make.make(studies.plan())


def refusal(tmp_path, study, contents, **how) -> str:
    key, paths = studies.write(tmp_path, study, contents)
    with pytest.raises(Refused) as caught:
        read_all(paths, read_key(key), **how)
    return str(caught.value)


def scored(tmp_path, study, contents, **how):
    key, paths = studies.write(tmp_path, study, contents)
    annotators = read_all(paths, read_key(key), **how)
    return score.preferences(read_key(key), annotators), score.agreements(read_key(key), annotators)


def test_preferences_by_all_by_group_and_by_annotator(tmp_path, study):
    contents = [
        studies.answers(study, "A", always(SHARP), "radiologist"),
        studies.answers(study, "B", always(BLURRED), "other"),
        studies.answers(study, "C", lambda pair: "left", "other"),
    ]
    rows, _ = scored(tmp_path, study, contents)
    counts = {(row.scope, row.who): (row.preferred, row.against_preferred) for row in rows}
    assert counts == {
        ("all", "all"): (18, 18),
        ("group", "radiologist"): (12, 0),
        ("group", "other"): (6, 18),
        ("annotator", "A"): (12, 0),
        ("annotator", "B"): (0, 12),
        ("annotator", "C"): (6, 6),
    }
    whole = rows[0]
    assert (whole.method, whole.against, whole.n, whole.missing) == (SHARP, BLURRED, 36, 0)
    assert whole.low < whole.share == 0.5 < whole.high
    assert rows[-1].left == 1.0


def test_agreement_is_of_sides_by_all_and_by_group(tmp_path, study):
    contents = [
        studies.answers(study, "A", always(SHARP)),
        studies.answers(study, "B", always(SHARP)),
        studies.answers(study, "C", always(BLURRED), "radiologist"),
    ]
    _, rows = scored(tmp_path, study, contents)
    found = {(row.who, row.statistic): row.kappa for row in rows}
    assert found[("other", "Cohen")] == 1
    assert found[("all", "Fleiss")] == pytest.approx(-1 / 3)
    assert found[("all", "Cohen, mean of couples")] == pytest.approx(-1 / 3)
    assert ("radiologist", "Cohen") not in found


def test_three_methods_have_a_row_for_each_two(tmp_path):
    study = make.make(studies.plan(methods=3, n=9))
    rows, _ = scored(tmp_path, study, [studies.answers(study, "A", always(SHARP))])
    couples = [(row.method, row.against, row.n) for row in rows if row.scope == "all"]
    assert couples == [(SHARP, BLURRED, 3), (SHARP, "other0", 3), (BLURRED, "other0", 3)]


def test_answers_to_another_study_and_from_an_edited_page_are_refused(tmp_path, study):
    other = make.make(studies.plan(seed=8))
    assert "answers to study" in refusal(
        tmp_path, study, [studies.answers(other, "A", always(SHARP))]
    )
    edited = studies.answers(study, "A", always(SHARP)) | {"page": other.page.page}
    assert "a page that was edited" in refusal(tmp_path, study, [documents.signed(edited)])


def test_missing_answers_are_counted_and_refused_unless_partial(tmp_path, study):
    first = study.key["pairs"][:5]
    some = studies.answers(study, "A", lambda pair: "left" if pair in first else None)
    assert "no answer to 7 of 12 pairs" in refusal(tmp_path, study, [some])
    rows, _ = scored(tmp_path, study, [some], partial=True)
    assert (rows[0].n, rows[0].missing) == (5, 7)


def test_an_annotator_given_twice_is_refused(tmp_path, study):
    contents = [studies.answers(study, name, always(SHARP)) for name in ("Ann", "ANN")]
    assert "answers of 'ANN', whose answers" in refusal(tmp_path, study, contents)


@pytest.mark.parametrize(
    "change",
    [
        {"answers": [["left", 1]] * 11},
        {"answers": [["middle", 1]] * 12},
        {"answers": [["left", -1]] * 12},
        {"answers": [["left", True]] * 12},
        {"answers": "left"},
        {"annotator": ""},
        {"group": "cardiologist"},
    ],
)
def test_answers_of_another_form_are_refused(tmp_path, study, change):
    content = documents.signed(studies.answers(study, "A", always(SHARP)) | change)
    assert "as the page saved it" in refusal(tmp_path, study, [content])


def test_an_edited_answer_and_an_edited_key_are_refused(tmp_path, study):
    content = studies.answers(study, "A", always(SHARP))
    content["answers"][0] = ["left" if content["answers"][0][0] == "right" else "right", 1500]
    assert "not what its sha256 says" in refusal(tmp_path, study, [content])
    key = tmp_path / "key.json"
    turned = json.loads(key.read_text())
    turned["pairs"][0].update(left=SHARP, right=SHARP)
    key.write_text(json.dumps(turned))
    with pytest.raises(Refused, match="not what its sha256 says"):
        read_key(key)


def test_half_a_character_is_refused_by_name(tmp_path, study):
    content = documents.signed(studies.answers(study, "A", always(SHARP)))
    words = refusal(tmp_path, study, [content | {"annotator": "A\ud83d"}])
    assert "half a character" in words


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1"])
def test_a_name_is_no_formula_in_the_tables(tmp_path, study, name):
    rows, _ = scored(tmp_path, study, [studies.answers(study, name, always(SHARP))])
    written = csv.DictReader(io.StringIO(score.as_csv(rows, score.Preference._fields)))
    assert [row["who"] for row in written][-1] == f"'{name}"
    assert float(score.as_csv([rows[0]._replace(share=-0.5)], ()).split(",")[8]) == -0.5


def test_a_file_of_another_kind_is_refused(tmp_path, study):
    key, paths = studies.write(tmp_path, study, [studies.answers(study, "A", always(SHARP))])
    for path in (paths[0], tmp_path / "page.html", tmp_path / "nothing.json"):
        with pytest.raises(Refused, match="a study's key"):
            read_key(path)
    with pytest.raises(Refused, match="answers that a study's page exported"):
        read_all([key], read_key(key))
