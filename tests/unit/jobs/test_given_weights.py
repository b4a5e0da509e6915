"""Weights of others: read, checked by name and shape, hashed, and restored with."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from support.golden_weights import fixture, weights
from thinslice.audit.chain import Walk
from thinslice.errors import Refused
from thinslice.fs.hashing import sha256_of_file
from thinslice.interfaces import Run
from thinslice.jobs.given_weights import given_weights
from thinslice.jobs.restore import learned_before
from thinslice.methods import conditioned_unet, georgescu, tvsrn_released
from thinslice.provenance.records import read_record, record_path
from thinslice.restoration.methods import PACKAGED
from thinslice.training import given_weights as reading
from thinslice.training import safetensors_file
from thinslice.volume import Grid, Volume

OUT = Path("results/weights/released/given.pt")
CARD = {"name": "released", "module": "tvsrn_released", "fit": "population"}
RUN = Run(device="cpu", threads=1, progress=False)
THICK = Grid(4, 5.0, 5.0, (8, 8), (0.7, 0.7))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["given_weights.py"])


@pytest.fixture(scope="module")
def theirs() -> dict[str, torch.Tensor]:
    """Made by a rule, under the authors' names."""
    meta, _ = fixture("tvsrn", "released")
    return {name: torch.from_numpy(array) for name, array in weights(meta).items()}


def taken(content, file: str = "authors.pt") -> Path:
    torch.save(content, file)
    given_weights({**CARD, "weights": file}, OUT)
    return OUT


def refusal(content) -> str:
    with pytest.raises(Refused) as refused:
        taken(content)
    assert not OUT.exists()
    assert not record_path(OUT).exists()
    return str(refused.value)


def restored(method) -> np.ndarray:
    voxels = np.random.default_rng(0).uniform(-1000, 1000, THICK.zyx).astype(np.float32)
    thin = THICK.with_slices(n=16, increment_mm=1.0, thickness_mm=1.0, start_mm=0.0)
    return method.restore(Volume(voxels, THICK), thin, run=RUN).voxels


def test_what_is_restored_is_what_the_authors_weights_give(theirs):
    taken(theirs)
    method, own = tvsrn_released.build(), tvsrn_released.build()
    method.load(learned_before(CARD, record_path(OUT))["weights"])
    own.use(theirs)
    np.testing.assert_array_equal(restored(method), restored(own))


def test_the_audit_leads_to_the_file(theirs):
    taken(theirs)
    links = read_record(record_path(OUT))["inputs"]
    assert links["authors.pt"]["sha256"] == sha256_of_file(Path("authors.pt"))
    last = list(Walk().links(record_path(OUT)))[-1]
    assert (last.record, last.problems) == (Path("authors.pt"), ())
    Path("authors.pt").write_bytes(b"other weights")
    problems = [why for link in Walk().links(record_path(OUT)) for why in link.problems]
    assert any("authors.pt was changed" in why for why in problems)


def test_a_tensor_too_few_too_many_or_of_another_shape_is_named(theirs):
    name = next(name for name, tensor in theirs.items() if tensor.ndim > 1)
    fewer = {each: tensor for each, tensor in theirs.items() if each != name}
    assert "Missing key" in refusal(fewer)
    assert "odd.weight" in refusal({**theirs, "odd.weight": torch.zeros(3)})
    shape = refusal({**theirs, name: torch.zeros(3, 3)})
    assert "size mismatch" in shape
    assert shape.startswith("authors.pt: found weights that are not released's")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_named(theirs, value):
    name = next(iter(theirs))
    assert f"{name} holds" in refusal({**theirs, name: torch.full_like(theirs[name], value)})


def test_what_is_no_state_dict_is_refused_and_runs_nothing(theirs):
    assert "found pickled objects" in refusal(torch.nn.Linear(1, 1))
    assert "found a dictionary of epoch, loss" in refusal({"epoch": 3, "loss": 0.1})
    Path("torn.pt").write_bytes(b"PK\x03\x04 torn")
    np.savez("words.npz", layers=np.array(["conv1", "conv2"]))
    refusals = {"torn.pt": "no weights", "words.npz": "no weights", "none.pt": "no file"}
    for name, words in refusals.items():
        with pytest.raises(Refused, match=words):
            reading.read(Path(name))


def test_a_damaged_file_of_any_kind_is_refused(tmp_path):
    tensors = {"a.weight": torch.arange(300.0)}
    np.savez_compressed("a.npz", a=tensors["a.weight"].numpy())
    torch.save(tensors, "zip.pt")
    torch.save(tensors, "old.pt", _use_new_zipfile_serialization=False)
    chance = np.random.default_rng(0)
    refused = 0
    for name in ("a.npz", "zip.pt", "old.pt"):
        whole = Path(name).read_bytes()
        for k in chance.integers(len(whole), size=60):
            other = Path(name).with_stem("damaged")
            other.write_bytes(whole[:k] + bytes([chance.integers(256)]) + whole[k + 1 :])
            try:
                read = reading.read(other).values()
            except Refused:
                refused += 1
            else:  # a byte of a value, or one that says nothing
                assert all(tensor.isfinite().all() for tensor in read)
    assert refused > 30


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([1, 2], dtype=object)])
def test_arrays_of_no_numbers_and_names_that_are_none_are_refused(array):
    np.savez("words.npz", a=array)
    torch.save({0: torch.zeros(2)}, "numbered.pt")
    np.save("array.npy", np.zeros(3))
    Path("array.npy").rename("array.npz")
    for name in ("words.npz", "numbered.pt", "array.npz"):
        with pytest.raises(Refused, match="expected named tensors"):
            reading.read(Path(name))


def test_the_same_tensors_are_read_from_every_format(theirs):
    few = dict(list(theirs.items())[:3])
    arrays = {name: tensor.numpy() for name, tensor in few.items()}
    safetensors_file.write(Path("a.safetensors"), arrays, {})
    np.savez("a.npz", allow_pickle=False, **arrays)
    torch.save({"epoch": 7, "state_dict": few}, "a.pth")
    torch.save({f"module.{name}": tensor for name, tensor in few.items()}, "a.pt")
    for file in ("a.safetensors", "a.npz", "a.pth", "a.pt"):
        found = reading.read(Path(file))
        assert list(found) == list(few) or set(found) == set(few)
        assert all(torch.equal(found[name], few[name]) for name in few)


def test_networks_are_named_and_their_shapes_tell_the_factor():
    files = {"in_plane": "hw_x2", "through_plane": "d_x4"}
    for part, case in files.items():
        meta, _ = fixture("georgescu", case)
        np.savez(f"{part}.npz", allow_pickle=False, **weights(meta))
    card = {"name": "ch", "module": "georgescu", "fit": "population"}
    given_weights({**card, "weights": {part: f"{part}.npz" for part in files}}, OUT)
    method = georgescu.build()
    method.load(OUT)
    assert method.factors == {"in_plane": 2, "through_plane": 4}
    with pytest.raises(Refused, match="found weights of depth; expected those of in_plane"):
        given_weights({**card, "weights": {"depth": "in_plane.npz"}}, OUT)
    with pytest.raises(Refused, match="found weights of others; expected none"):
        given_weights({**card, "module": "tvsrn", "weights": "in_plane.npz"}, OUT)


PACKAGED_CARD = {"name": "packaged", "module": "conditioned_unet", "fit": "population"}


def test_the_packaged_weights_given_in_a_line_restore_as_the_package_does():
    given_weights({**PACKAGED_CARD, "weights": str(PACKAGED)}, OUT)
    given, packaged = conditioned_unet.build(), conditioned_unet.build()
    given.load(OUT)
    packaged.load(PACKAGED)
    np.testing.assert_array_equal(restored(given), restored(packaged))
    assert np.abs(restored(given) - restored(conditioned_unet.build())).max() > 1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"settings": {"channels": 8}}, "trained with channels 16 where 8 was expected"),
        ({"settings": {"ct": [-1024.0, 2048.0]}}, r"trained with ct \[-1024.0, 3071.0\] where"),
        ({"module": "plane_unet"}, "weights of 'conditioned_unet', not of 'plane_unet'"),
    ],
)
def test_a_file_of_ours_for_another_window_network_or_method_is_refused(change, words):
    with pytest.raises(Refused, match=words):
        given_weights({**PACKAGED_CARD, **change, "weights": str(PACKAGED)}, OUT)
    assert not OUT.exists()


def test_a_changed_byte_in_a_file_of_ours_is_refused():
    content = PACKAGED.read_bytes()
    Path("torn.safetensors").write_bytes(content[:-2] + bytes([content[-2] ^ 1]) + content[-1:])
    with pytest.raises(Refused, match=r"torn\.safetensors .*its checksum does not hold"):
        given_weights({**PACKAGED_CARD, "weights": "torn.safetensors"}, OUT)
