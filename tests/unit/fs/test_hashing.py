"""Hashes of files equal those of hashlib, by name below a folder."""

import hashlib

from thinslice.fs.hashing import sha256_by_name, sha256_of_file


def test_hashes_are_of_the_bytes_and_named_from_the_folder(tmp_path):
    (tmp_path / "deep").mkdir()
    content = {"b.txt": b"two", "deep/a.bin": bytes(range(256)) * 9000, "empty": b""}
    for name, data in content.items():
        (tmp_path / name).write_bytes(data)
    expected = {name: hashlib.sha256(data).hexdigest() for name, data in content.items()}
    assert sha256_by_name(tmp_path) == expected
    assert list(sha256_by_name(tmp_path)) == sorted(expected)
    assert sha256_by_name(tmp_path / "b.txt") == {"b.txt": expected["b.txt"]}
    assert sha256_of_file(tmp_path / "deep" / "a.bin") == expected["deep/a.bin"]
