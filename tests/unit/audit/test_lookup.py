"""A record is found by its id, its file or its bytes; what was lost is told from what never was."""

import json
import shutil
from pathlib import Path

import pytest

from support.small_results import FIGURE, PAGE, RAW, RESTORED, SCORES, TABLE
from thinslice.audit import lookup
from thinslice.audit.lookup import NoRecordError
from thinslice.provenance.records import (
    BrokenLinkError,
    OtherFormatError,
    read_record,
    record_id,
    record_path,
    record_text,
    sha256_of,
)

RESULTS = Path("results")


def as_format(record: Path, number: int) -> str:
    """Write a record as another version would have; its id."""
    content = {**read_record(record), "format": number}
    del content["id"]
    record.write_text(record_text({"id": record_id(content), **content}))
    return record_id(content)


def test_by_id_or_its_beginning(results):
    identity = read_record(record_path(TABLE))["id"]
    assert lookup.by_id(identity, RESULTS) == record_path(TABLE)
    assert lookup.by_id(identity[:9], RESULTS) == record_path(TABLE)


def test_an_id_that_several_records_begin_with_is_a_question(results, audit):
    status, out, err = audit("")
    assert (status, out) == (2, "")
    assert "begins the ids of" in err


def test_an_id_that_no_record_has_is_a_question_even_where_another_record_is_broken(results):
    record = record_path(SCORES)
    record.write_text(record.read_text().replace('"seed"', '"sead"'))
    with pytest.raises(NoRecordError, match="no record 0123456789abcdef below results"):
        lookup.by_id("0123456789abcdef", RESULTS)


@pytest.mark.parametrize("changed", ["id", "content"])
def test_the_id_of_a_broken_record_finds_it(results, changed):
    record = record_path(SCORES)
    identity = read_record(record)["id"]
    other = record.read_text().replace(*{
        "id": (identity, identity[::-1]), "content": ('"wall_s"', '"wall_t"')
    }[changed])  # fmt: skip
    record.write_text(other)
    with pytest.raises(BrokenLinkError, match=rf"no record {identity}; .* was changed"):
        lookup.by_id(identity, RESULTS)


def test_a_record_that_is_no_json_may_be_any(results):
    record_path(SCORES).write_text("{")
    with pytest.raises(BrokenLinkError, match="is not a record"):
        lookup.by_id("0123456789abcdef", RESULTS)


def test_a_record_of_another_format_is_no_break(results, audit):
    record = record_path(FIGURE)
    identity = as_format(record, 1)
    with pytest.raises(OtherFormatError):
        lookup.by_id(identity, RESULTS)
    for what in (identity, FIGURE, record):
        status, _, err = audit(what)
        assert status == 2
        assert "has format 1, this version of thinslice reads format 2" in err
    status, out, _ = audit(PAGE)  # which was made from the record before
    assert status == 1
    assert "was changed" in out


def test_a_lost_record_is_a_break(results, audit):
    """Another result was made from it, or it is that of the page, from which nothing is made."""
    for what in (TABLE, SCORES, RESTORED, PAGE):
        shutil.move(record_path(what), "away")
        status, out, _ = audit(what)
        shutil.move("away", record_path(what))
        assert status == 1, what
        assert f"{record_path(what)} is missing" in out


def test_a_lost_result_is_a_break_and_an_unknown_one_is_not(results, audit):
    TABLE.unlink()
    status, out, _ = audit(TABLE)
    assert status == 1
    assert f"BROKEN  {TABLE} is missing" in out
    for what in (
        TABLE.with_suffix(".svg"),
        TABLE.with_name("other.csv"),
        "results",
        "results/logs",
    ):
        status, out, err = audit(what)
        assert (status, out) == (2, ""), what
        assert "BROKEN" not in err


def test_a_file_of_ones_own_beside_results_is_a_question(results, audit):
    mine = TABLE.with_name("mine.csv")
    mine.write_text("a,b\n")
    assert audit(mine)[0] == 2
    TABLE.with_suffix(".txt").write_text("notes")
    assert audit(TABLE.with_suffix(".txt"))[0] == 2
    Path("tables").mkdir()
    Path("tables/foreign.csv").write_text("a,b\n")
    assert audit("tables/foreign.csv")[0] == 2


def test_another_result_in_its_place_is_a_break(results, audit):
    for ending in (".csv", ".record.json"):
        TABLE.with_name(f"benchmark{ending}").replace(TABLE.with_name(f"patients{ending}"))
    status, out, _ = audit(TABLE.with_name("patients.csv"))
    assert status == 1
    assert "patients.csv is not what its record made" in out


def test_by_bytes_whatever_it_is_called(results):
    assert lookup.by_bytes(sha256_of(FIGURE.with_suffix(".pdf")), RESULTS) == record_path(FIGURE)
    assert lookup.by_bytes("0" * 64, RESULTS) is None


def test_raw_records_are_found_though_they_made_no_file(results):
    assert lookup.of_file(RAW, RESULTS) == RAW
    assert json.loads(RAW.read_text())["outputs"] == {}
