"""Listings of a public bucket: every file once, over pages, or refused."""

import pytest

from support.archive_bucket import content_of
from support.file_server import Files, serving
from support.remote_file import BRISK
from thinslice.download.bucket import remotes_in
from thinslice.errors import Refused

FOLDER = "6976a039-ef80-446c-981e-2120b6658bf1"
SLICES = {f"{k:02d}.dcm": bytes([k]) * (k + 1) for k in range(7)}
QUERY = f"?list-type=2&prefix={FOLDER}%2F"


@pytest.fixture
def bucket():
    with serving(Files(content_of({FOLDER: SLICES}, page=3), kind="application/xml")) as served:
        yield served


def remotes(bucket, raw, mirror=None):
    return remotes_in(bucket.url, FOLDER, raw, mirror, patience=BRISK)


def test_every_file_of_every_page_is_listed_once_by_name(bucket, tmp_path):
    found = remotes(bucket, tmp_path)
    assert [each.name for each in found] == [f"{FOLDER}/{name}" for name in SLICES]
    assert [each.size for each in found] == [len(data) for data in SLICES.values()]
    assert all(each.url == f"{bucket.url}/{each.name}" for each in found)
    assert all(each.md5 for each in found)
    assert len(bucket.asked) == 3


def test_pages_are_not_asked_for_again_and_a_copy_of_them_is_a_mirror(bucket, tmp_path):
    before = remotes(bucket, tmp_path / "raw")
    assert remotes(bucket, tmp_path / "raw") == before
    assert len(bucket.asked) == 3
    assert remotes(bucket, tmp_path / "other", str(tmp_path / "raw")) == before
    assert len(bucket.asked) == 3


def test_the_etag_of_a_file_sent_in_parts_is_no_md5(bucket, tmp_path):
    for path in list(bucket.content):
        if path.startswith("?"):
            page = bucket.content[path].replace(b"&quot;</ETag>", b"-2&quot;</ETag>")
            bucket.content[path] = page
    assert {each.md5 for each in remotes(bucket, tmp_path)} == {None}


@pytest.mark.parametrize(
    "page",
    [
        b"<ListBucketResult><Contents>",
        b"<Error><Code>NoSuchBucket</Code></Error>",
        b"<ListBucketResult><Contents><Key>other/1.dcm</Key><Size>1</Size></Contents>"
        b"</ListBucketResult>",
        b"<ListBucketResult><Contents><Key>%s/../1.dcm</Key><Size>1</Size></Contents>"
        b"</ListBucketResult>" % FOLDER.encode(),
        b"<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
    ],
)
def test_what_is_no_listing_is_refused_with_what_to_do(bucket, tmp_path, page):
    bucket.content[QUERY] = page
    with pytest.raises(Refused, match=r"no list of files.*delete it"):
        remotes(bucket, tmp_path)
