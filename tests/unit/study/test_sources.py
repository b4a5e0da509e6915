"""A source of several scans is refused in words that fit: a study has no option to choose one."""

import re
import shutil

import pytest

from support.several_dicom import by, two_series
from thinslice.errors import Refused
from thinslice.study import sources

SEVERAL = {"2 series: 3": two_series(5, 2), "2 acquisitions in series 3": by("KVP", 80, 140)}


@pytest.mark.parametrize("words", SEVERAL)
def test_several_scans_in_a_folder_are_refused_without_an_option_to_choose(
    tmp_path, monkeypatch, words
):
    path = SEVERAL[words](tmp_path, monkeypatch)
    for k, file in enumerate(sorted(path.glob("*/*/*"))):  # folders in it would be cases
        file.rename(path / f"{k}.dcm")
    for folder in path.glob("[ab]"):
        shutil.rmtree(folder)
    (scan,) = sources.open_source("linear", path).cases.values()
    fitting = rf"found {words}.*; expected one scan; give the folder of one of them, with"
    with pytest.raises(Refused, match=f"^{re.escape(str(path))}: {fitting}") as error:
        scan()
    assert "choose" not in str(error.value)
    assert "--" not in str(error.value)
