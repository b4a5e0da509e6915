"""``thinslice study`` from folders of scans to tables."""

import csv
import json

from support import studies
from thinslice.cli import main
from thinslice.study import documents
from thinslice.study.make import Study
from thinslice.study.page import Page


def make(folder, *more: str) -> list[str]:
    paths = studies.folders(folder)
    scans = [f"{name}={paths[name]}" for name in (studies.SHARP, studies.BLURRED)]
    given = ["--key", str(folder / "key.json"), "--seed", "3", "--pairs", "8"]
    reference = ["--reference", str(paths["thin"])]
    return ["study", "make", str(folder / "p.html"), *scans, *given, *reference, *more]


def test_a_study_is_made_answered_and_scored(tmp_path, capsys):
    assert main(make(tmp_path)) == 0
    key = json.loads((tmp_path / "key.json").read_text())
    study = Study(Page("", key["study"], key["page"]), key, 2)
    answers = []
    for name, group in (("A", "radiologist"), ("B", "other")):
        path = tmp_path / f"{name}.json"
        answers.append(str(path))
        path.write_text(
            json.dumps(studies.answers(study, name, studies.always(studies.SHARP), group))
        )
    out = tmp_path / "t.csv"
    assert main(["study", "score", str(tmp_path / "key.json"), *answers, "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "sharpnet preferred over smoothing" in printed
    assert "16 : 0" in printed
    assert "Cohen 1.000" in printed
    with open(out) as file:
        rows = list(csv.DictReader(file))
    assert [row["who"] for row in rows] == ["all", "radiologist", "other", "A", "B"]
    assert rows[0]["preferred"] == "16"
    assert out.with_suffix(".agreement.csv").is_file()


def test_partial_scores_say_so(tmp_path, capsys):
    main(make(tmp_path))
    key = json.loads((tmp_path / "key.json").read_text())
    study = Study(Page("", key["study"], key["page"]), key, 2)
    content = studies.answers(study, "A", studies.always(studies.SHARP))
    content["answers"][0] = None
    path = tmp_path / "A.json"
    path.write_text(json.dumps(documents.signed(content)))
    words = ["study", "score", str(tmp_path / "key.json"), str(path)]
    assert main(words) == 2
    assert "no answer to 1 of 8 pairs" in capsys.readouterr().err
    assert main([*words, "--partial"]) == 0
    assert capsys.readouterr().out.startswith("PARTIAL: 1 answer is missing")


def test_places_that_are_taken_or_one_are_refused_before_any_scan_is_read(tmp_path, capsys):
    (tmp_path / "p.html").write_text("mine")
    words = make(tmp_path)
    assert main(words) == 2
    assert "add --overwrite" in capsys.readouterr().err
    assert (tmp_path / "p.html").read_text() == "mine"
    words[words.index("--key") + 1] = str(tmp_path / "p.html")
    assert main([*words, "--overwrite"]) == 2
    assert "a file of its own" in capsys.readouterr().err


def test_a_method_without_a_path_is_refused(tmp_path, capsys):
    words = ["study", "make", str(tmp_path / "p.html"), "linear", "--key", str(tmp_path / "k.json")]
    assert main([*words, "--seed", "1"]) == 2
    assert capsys.readouterr().err.startswith("thinslice study: 'linear' is not NAME=PATH: write")


def test_a_key_that_is_not_there_is_refused_as_nothing_there(tmp_path, capsys):
    lost = tmp_path / "lost.key.json"
    assert main(["study", "score", str(lost), str(tmp_path / "A.json")]) == 2
    assert f"{lost}: found nothing there; expected a study's key; check" in capsys.readouterr().err
