"""A number without a record is refused before its table is written."""

import pytest

from support.evidence import demo
from thinslice.analyses import _recorded, benchmark
from thinslice.errors import Refused

TABLE = benchmark.build()(demo())


@pytest.mark.parametrize("records", ["", "unknown", "s000 unknown", None])
def test_a_row_without_records_of_the_evidence_is_refused_by_its_number(records):
    wrong = TABLE.copy()
    wrong.loc[2, "records"] = records
    with pytest.raises(Refused, match=r"analysis benchmark: found numbers in row\(s\) 3 without"):
        _recorded.check("benchmark", wrong, demo())


def test_a_table_without_the_column_is_refused_and_one_without_numbers_is_not():
    bare = TABLE.drop(columns="records")
    with pytest.raises(Refused, match=r"row\(s\) 1, 2, 3, 4, 5 and"):
        _recorded.check("benchmark", bare, demo())
    _recorded.check("benchmark", bare[["method", "metric"]], demo())
    _recorded.check("benchmark", bare.iloc[:0], demo())
