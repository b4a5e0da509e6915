"""The build fails on a printed number without a record."""

from pathlib import Path

import pytest

from support.evidence import demo
from thinslice.analyses import _evidence, benchmark
from thinslice.errors import Refused
from thinslice.jobs.analyse import analyse
from thinslice.jobs.evidence import evidence

OUT = Path("results/tables/benchmark.csv")


@pytest.mark.parametrize("records", [None, ""])
def test_no_table_is_written_where_a_number_has_no_record(records, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path("results/evidence")
    evidence([], [], [], [], folder)
    monkeypatch.setattr(_evidence, "read_evidence", lambda folder: demo())
    whole = benchmark.build()(demo())
    if records is not None:
        whole = whole.assign(records=records)
    monkeypatch.setattr(benchmark, "build", lambda: lambda evidence: whole)
    if records is None:
        analyse({"name": "benchmark"}, folder, OUT)
        assert OUT.exists()
        return
    with pytest.raises(Refused, match="without records of the evidence"):
        analyse({"name": "benchmark"}, folder, OUT)
    assert not OUT.exists()
