"""Weights as .npz and as .safetensors: the same content, and nothing torn is read."""

import hashlib
import json
import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from thinslice.cli import main
from thinslice.errors import Refused
from thinslice.restoration import methods
from thinslice.training import safetensors_file, weights

ABOUT = {"card": {"name": "a"}, "curve": [1, 2]}
NETWORK = {"channels": 2}


@pytest.fixture
def net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))  # floats, and a count: int64


def saved(path, net):
    weights.save(path, net, method="a", network=NETWORK, about=ABOUT)
    return path


@pytest.mark.parametrize("name", ["w.npz", "w.safetensors"])
def test_weights_come_back_bit_for_bit_with_their_record(tmp_path, net, name):
    path = saved(tmp_path / name, net)
    other = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2))
    assert weights.load(path, other, method="a", network=NETWORK) == ABOUT
    for key, tensor in net.state_dict().items():
        assert torch.equal(other.state_dict()[key], tensor)
        assert other.state_dict()[key].dtype == tensor.dtype
    assert weights.head(path)["network"] == NETWORK
    with pytest.raises(ValueError, match="'b'"):
        weights.load(path, other, method="b", network=NETWORK)


def test_both_formats_have_one_digest_and_pack_goes_from_one_to_the_other(tmp_path, net):
    npz = saved(tmp_path / "w.npz", net)
    packed = tmp_path / "w.safetensors"
    more = tmp_path / "more.json"
    more.write_text(json.dumps({"data": {"scan": "0" * 64}}))
    curve = tmp_path / "curve.csv"
    curve.write_text("step,loss\n10,0.5\n")
    words = ["weights", "pack", str(npz), str(packed), "--about", str(more), "--curve", str(curve)]
    assert main(words) == 0
    assert weights.digest(packed) == weights.digest(npz)
    expected = {**ABOUT, "data": {"scan": "0" * 64}, "curve": [{"step": "10", "loss": "0.5"}]}
    assert weights.head(packed) == {**weights.head(npz), "about": expected}
    assert main(words) == 2  # never over another file
    again = tmp_path / "again.safetensors"
    weights.pack(packed, again, {})
    assert again.read_bytes() == packed.read_bytes()


def test_every_changed_or_missing_byte_is_found(tmp_path, net):
    path = saved(tmp_path / "w.safetensors", net)
    whole = path.read_bytes()
    for k in range(0, len(whole), 7):
        path.write_bytes(whole[:k] + bytes([whole[k] ^ 1]) + whole[k + 1 :])
        with pytest.raises(ValueError, match=re.escape(str(path))):
            weights.head(path)
    for n in (0, 7, 8, 200, len(whole) - 1):
        path.write_bytes(whole[:n])
        with pytest.raises(ValueError, match="not a whole weights file"):
            weights.head(path)
    path.write_bytes(whole + b"0")
    with pytest.raises(ValueError, match="not a whole weights file"):
        weights.head(path)


def test_the_bytes_are_those_of_the_format(tmp_path):
    path = tmp_path / "a.safetensors"
    safetensors_file.write(path, {"a": np.array([[1.0, 2.0]], np.float32)}, {"k": "v"})
    text = b'{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}}'
    text += b" " * (-len(text) % 8)
    tensor = bytes.fromhex("0000803f00000040")
    assert path.read_bytes() == len(text).to_bytes(8, "little") + text + tensor


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},  # a gap
        {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]},  # another size
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, -4]},
        {"dtype": "F99", "shape": [1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1 << 62, 4], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": None, "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": ["1"], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": "1", "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [False, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [0, math.inf]},
        {"dtype": "F32", "shape": [math.inf], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [0, 1 << 64], "data_offsets": [0, 0]},
        ["F32"],
    ],
)
def test_a_head_that_contradicts_itself_is_refused(tmp_path, entry):
    text = json.dumps({"a": entry}).encode()
    path = tmp_path / "a.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(4))
    with pytest.raises(ValueError, match=r"tensor|head"):
        safetensors_file.read(path)


def test_the_reference_package_reads_it_and_is_read(tmp_path, net):
    reference = pytest.importorskip("safetensors.numpy")
    path = saved(tmp_path / "w.safetensors", net)
    arrays, _ = safetensors_file.read(path)
    theirs = reference.load_file(path)
    assert set(theirs) == set(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(theirs[name], array)
    reference.save_file(arrays, tmp_path / "theirs.safetensors", {"k": "v"})
    back, texts = safetensors_file.read(tmp_path / "theirs.safetensors")
    assert texts == {"k": "v"}
    for name, array in arrays.items():
        np.testing.assert_array_equal(back[name], array)


@pytest.mark.parametrize(
    "text",
    [
        *("[]", "null", "3", "{}", '{"version": 1}', '{"version": 2}'),
        '{"version": 1, "method": "a", "network": {}, "about": []}',
        '{"version": 1, "method": "a", "network": 3, "about": {}}',
        '{"version": 1, "method": 5, "network": {}, "about": {}}',
    ],
)
@pytest.mark.parametrize("name", ["w.npz", "w.safetensors"])
def test_a_text_that_is_not_ours_is_refused(tmp_path, net, name, text):
    path, arrays = tmp_path / name, {"0.bias": np.zeros(2, np.float32)}
    if path.suffix == weights.SAFETENSORS:
        digest = hashlib.sha256(text.encode())
        for key, array in arrays.items():
            digest.update(json.dumps([key, array.dtype.str, array.shape]).encode())
            digest.update(array.tobytes())
        texts = {weights.HEAD: text, weights.SHA256: digest.hexdigest()}
        safetensors_file.write(path, arrays, texts)
    else:
        np.savez(path, **{weights.HEAD: np.frombuffer(text.encode(), np.uint8)}, **arrays)
    for read in (weights.head, weights.digest, methods.card_of):
        with pytest.raises(Refused, match=re.escape(str(path))):
            read(path)
    with pytest.raises(Refused, match=re.escape(str(path))):
        weights.load(path, net, method="a", network=NETWORK)


@pytest.mark.parametrize("card", [[], {}, {"name": 3}, {"name": "a", "settings": 3}])
def test_weights_whose_card_is_none_are_refused(tmp_path, net, card):
    path = tmp_path / "w.npz"
    weights.save(path, net, method="a", network=NETWORK, about={"card": card})
    with pytest.raises(Refused, match="a method card"):
        methods.card_of(path)


@pytest.mark.parametrize("content", [b'{"a": 1,\n oops}', b"[]", b"\xff"])
def test_notes_that_are_no_object_are_refused_by_file_and_line(tmp_path, net, capsys, content):
    path, more, out = saved(tmp_path / "w.npz", net), tmp_path / "more.json", tmp_path / "o.npz"
    more.write_bytes(content)
    assert main(["weights", "pack", str(path), str(out), "--about", str(more)]) == 2
    place = f"{more}, line 2" if b"oops" in content else f"{more}: "
    assert place in capsys.readouterr().err
    assert not out.exists()
