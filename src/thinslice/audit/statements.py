"""Verify a restored scan by the statement beside it: what was written, what was read, the weights.

A statement holds hashes of every file read and written, and no hash of itself: it proves that
scan, input and weights belong together, not that nobody wrote all of them anew.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from thinslice.audit import chain, lookup, places, statement_fields
from thinslice.audit.chain import Link
from thinslice.audit.summary import Summary, versions_words
from thinslice.audit.verify import Verdict
from thinslice.errors import Refused, listed
from thinslice.fs.hashing import sha256_by_name, sha256_of_file
from thinslice.provenance.environment import versions

REMEDY = (
    "bring back what was written and read, as it was; else restore the scan again (--overwrite):",
    "no other file can stand for one that is missing or was changed",
)
SUFFIX = ".thinslice.json"  # restoration.output.STATEMENT; this room does not import that one


def statement_of(named: Path) -> Path | None:
    """The statement that a user named, or that lies beside the scan named; None if neither."""
    if named.name.endswith(SUFFIX):
        return named
    beside = named.with_name(named.name + SUFFIX) if named.name else named
    return beside if beside.is_file() else None


def read(statement: Path) -> dict[str, Any]:
    """The statement of a restored or thickened scan; Refused for another file."""
    try:
        content = json.loads(statement.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Refused(
            f"no file {statement}, the statement that is written beside a restored scan: without "
            "it the scan cannot be checked; correct the name, or restore the scan again"
        ) from None
    except ValueError as error:
        raise Refused(f"{statement} is no statement of a restored scan: {error}") from None
    if problems := list(statement_fields.problems(content)):
        raise Refused(f"{statement} is no statement of a restored scan: {listed(problems)}")
    return content


def summary(statement: Path, content: Mapping[str, Any]) -> Summary:
    """What the scan is, when it was made and from what, as the statement says."""
    grids = (content["grids"][name] for name in ("input", "output"))
    thick, thin = (f"{grid['thickness_mm']:g} mm" for grid in grids)
    method = content.get("method") or {"card": content.get("degradation", {"name": "thicken"})}
    name, source = method["card"]["name"], content["input"]
    what = f"{_scan(statement)}: slices of {thin} by {name} from slices of {thick}"
    run = content["run"]
    started = run["started"].replace("T", " ")[:16]
    where = f"{run['device']}, " if "device" in run else ""
    seed = method["card"].get("settings", {}).get("seed")
    made = (
        f"{started} UTC on a machine and from a commit that statements do not name; {where}"
        f"seed {'none stated' if seed is None else seed}; {versions_words(content['versions'])}"
    )
    weights = method.get("weights")
    fitted = f"; weights {weights['name']}, sha256 {weights['sha256'][:16]}" if weights else ""
    files = len(source["files"])
    data = f"{source['path'] or 'memory'} ({files} files, sha256 {source['sha256'][:16]}){fitted}"
    facts = {"what": what, "statement": dict(content)}
    return Summary(what, made, data, facts)


def verify(
    statement: Path, content: Mapping[str, Any], results: Path, known: Sequence[Path] = ()
) -> Verdict:
    """Compare the scan, its input and its weights with the statement.

    results   where the record of the training is looked for
    known     files of weights that may be the ones, e.g. those of the package
    """
    verdict = Verdict(remedy=REMEDY)
    written = tuple(_written(_scan(statement), content["output"]))
    verdict.add(_link(0, "restored", _scan(statement), content["output"]["sha256"], written))
    here = versions()
    verdict.notes += [
        f"{name} was {then}, is {here.get(name, 'not installed')} here"
        for name, then in content["versions"].items()
        if here.get(name) != then and name in here
    ]
    path = content["input"]["path"]
    if path is None or not Path(path).exists():
        verdict.elsewhere.append(_input_elsewhere(path))
    else:
        read = tuple(_read(Path(path), content["input"]["files"]))
        verdict.add(_link(1, "input", Path(path), content["input"]["sha256"], read))
    weights = (content.get("method") or {}).get("weights")
    if weights:
        _weights(weights, results, known, verdict)
    return verdict


def _weights(
    weights: Mapping[str, Any], results: Path, known: Sequence[Path], verdict: Verdict
) -> None:
    """The weights by their hash: the chain of their training, or the file that is known."""
    sha256 = weights["sha256"]
    for path in known:
        if path.is_file() and sha256_of_file(path) == sha256:
            verdict.add(_link(1, "weights", path, sha256, ()))
            return
    record = lookup.by_bytes(sha256, results) if results.is_dir() else None
    if record is None:
        verdict.elsewhere.append(
            f"the weights {weights['name']}, sha256 {sha256[:16]}: name the results folder of "
            "their training with --results"
        )
        return
    with places.entered(record) as inside:
        for link in chain.Walk().links(inside, depth=1):
            verdict.add(link)


def _input_elsewhere(path: str | None) -> str:
    if path is None:
        return "the input, which came from memory: nothing of it can be checked"
    return f"the input {path}: bring it to this path, or audit where it is"


def _scan(statement: Path) -> Path:
    return statement.with_name(statement.name.removesuffix(SUFFIX))


def _link(depth: int, rule: str, path: Path, sha256: str, problems: tuple[str, ...]) -> Link:
    return Link(depth, rule, "-", path, ((str(path), sha256),), problems)


def _written(scan: Path, output: Mapping[str, Any]) -> Iterator[str]:
    """Where the scan is not what its statement says; one file may have another name now."""
    if not scan.exists():
        yield f"{scan} is missing, though its statement {scan}{SUFFIX} is here"
        return
    then, now = output["files"], sha256_by_name(scan)
    if len(then) == len(now) == 1 and scan.is_file():
        then = {scan.name: next(iter(then.values()))}
    for name in sorted({*then, *now}):
        path = scan / name if scan.is_dir() else scan
        if name not in now:
            yield f"{path} is missing"
        elif name not in then:
            yield f"{path} is not in the statement of the scan"
        elif then[name] != now[name]:
            yield f"{path} was changed: sha256 {now[name][:12]}, stated {then[name][:12]}"


def _read(path: Path, files: Mapping[str, str]) -> Iterator[str]:
    """Where the input is not what was read; of a zip, the files in it count."""
    if path.is_file() and zipfile.is_zipfile(path):
        now = set(_in_zip(path))
        changed = (name for name, sha256 in files.items() if sha256 not in now)
        yield from (f"{path}: no {name} in it as it was read" for name in changed)
        return
    for name, sha256 in files.items():
        file = path if path.is_file() else path / name
        if not file.is_file():
            yield f"{file} is missing, which the scan was made from"
        elif (now := sha256_of_file(file)) != sha256:
            yield f"{file} was changed since it was read: sha256 {now[:12]}, stated {sha256[:12]}"


def _in_zip(path: Path) -> Iterator[str]:
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            yield hashlib.sha256(archive.read(name)).hexdigest()
