"""The page is whole, loads nothing, and tells nobody which side is which."""

import base64
import hashlib
import json
import re
import zlib

import numpy as np
import pytest

from support import studies
from thinslice.study import make
from thinslice.study.page import block


@pytest.fixture(scope="module")
def study():
    return make.make(studies.plan())


def head_of(html: str) -> dict:
    return json.loads(re.search(r'id="head">(.*?)</script>', html)[1])


def test_no_method_case_or_path_is_named_in_it_nor_any_digest_of_one(study):
    html = study.page.html
    words = [studies.SHARP, studies.BLURRED, studies.THIN, "case0", "case1", "case2"]
    for word in words:
        assert word not in html
        for digest in (hashlib.md5, hashlib.sha1, hashlib.sha256):
            assert digest(word.encode()).hexdigest()[:12] not in html
    assert "seed" not in html


def test_both_sides_are_one_block_of_one_size(study):
    """Nothing is stored by side: a blurred image would be the smaller file."""
    html = study.page.html
    assert len(re.findall(r'id="pair\d+"', html)) == 12
    for k, about in enumerate(head_of(html)["pairs"]):
        data = re.search(rf'id="pair{k}">([^<]*)<', html)[1]
        assert len(zlib.decompress(base64.b64decode(data))) == 2 * np.prod(about["shape"])
        assert set(about) == {"mm", "plane", "first", "shape", "sha256"}


def test_a_pair_says_the_same_of_itself_whichever_side_is_which():
    levels = np.stack([np.arange(12).reshape(3, 4), np.zeros((3, 4))]).astype("<i2")
    one, other = block(levels, {}).about, block(levels[::-1], {}).about
    assert {**one, "sha256": ""} == {**other, "sha256": ""}


def test_the_page_loads_nothing(study):
    html = study.page.html
    assert "default-src 'none'" in html
    assert not re.search(r"""(?:src|href)=["']|url\(|@import|https?:|fetch\(|XMLHttp""", html)


def test_the_key_holds_what_the_page_shows_and_the_same_seed_makes_the_same_bytes(study):
    again = make.make(studies.plan())
    assert again == study
    other = make.make(studies.plan(seed=8))
    assert other.page.study != study.page.study
    shown = [(p["case"], p["plane"], p["index"]) for p in study.key["pairs"]]
    assert len(set(shown)) == 12


def test_every_int16_comes_back_from_a_block():
    levels = np.array([[[-32768, 32767, 0], [5, -32768, 32767]]], "<i2")
    steps = np.frombuffer(zlib.decompress(base64.b64decode(block(levels, {}).data)), "<u2")
    assert (np.cumsum(steps.reshape(2, 3), 1, dtype=np.uint16).view("<i2") == levels[0]).all()
