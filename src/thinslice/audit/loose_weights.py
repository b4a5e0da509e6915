"""Verify weights that no record names: the file is whole, and says what it was fitted on."""

from pathlib import Path
from typing import Any

from thinslice.audit import summary as summary_of_records
from thinslice.audit.chain import Link
from thinslice.audit.summary import Summary
from thinslice.audit.verify import Verdict
from thinslice.errors import Refused
from thinslice.fs.hashing import sha256_of_file
from thinslice.provenance.records import BrokenLinkError

ENDINGS = (".npz", ".pt", ".safetensors")
MARK = b"thinslice_weights"  # training.weights.HEAD, in every file of ours


def are(path: Path) -> bool:
    """Whether a file may be weights, by its name."""
    return path.suffix in ENDINGS and path.is_file()


def read(path: Path) -> dict[str, Any]:
    """What the file says of itself; BrokenLinkError if it is ours and damaged, else Refused."""
    from thinslice.training import weights  # imports torch: only where there are weights

    try:
        return weights.head(path)
    except Refused as error:
        if MARK in path.read_bytes():
            raise BrokenLinkError(f"{path} is damaged: {error}") from None
        raise Refused(f"{path} is no weights file of thinslice, and no record names it") from None


def summary(path: Path, head: dict[str, Any]) -> Summary:
    """What the weights are and what they were fitted on, by their own word."""
    about = head["about"]
    card = _object(about, "card")
    name = card.get("name", head["method"])
    what = f"{path}: weights of {name}, sha256 {sha256_of_file(path)[:16]}"
    settings = {**_object(about, "settings"), **_object(card, "settings")}
    counts = {split: len(about.get(split) or []) for split in ("train", "val")}
    fitted = ", ".join(f"{key} {value}" for key, value in _object(about, "fitted_on").items())
    data = f"{counts['train']} train, {counts['val']} val cases; fitted on {fitted or 'not stated'}"
    made = _made(about, name, settings.get("seed"))
    return Summary(what, made, data, {"what": what, "head": head})


def _made(about: dict[str, Any], name: str, seed: int | None) -> str:
    """As the record in the file has it, where there is one."""
    record = _object(about, "record")
    seeds = {} if seed is None else {name: seed}
    try:
        facts = {
            "started": [record["started"]] * 2,
            "machines": [record["machine"]],
            "commits": [record["git"]],
            "packages": record["packages"],
            "seeds": seeds,
        }
        return f"{summary_of_records.made(facts)}; by the file's own word"
    except (LookupError, TypeError, AttributeError):  # no record, or not one of ours
        version = about.get("thinslice", "of a version that it does not state")
        unknown = "at a time, on a machine and from a commit that no record here names"
        return f"{unknown}; seed {'none stated' if seed is None else seed}; thinslice {version}"


def _object(holder: dict[str, Any], name: str) -> dict[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def verify(path: Path) -> Verdict:
    """The file was read whole; what made it cannot be checked without its record."""
    verdict = Verdict()
    verdict.add(Link(0, "weights", "-", path, ((str(path), sha256_of_file(path)),)))
    verdict.elsewhere.append(f"the record of the training of {path}: name its folder by --results")
    return verdict
