"""Gather a capsule: everything behind a result but volumes, weights and raw scans."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from thinslice import __version__
from thinslice.audit import loose_weights, upstream
from thinslice.audit.capsule import crate, crate_jobs, verify
from thinslice.audit.capsule.signing import Key
from thinslice.audit.cards import KIND_OF_CARD
from thinslice.errors import Refused
from thinslice.provenance import reruns
from thinslice.provenance.job import SCRIPTS
from thinslice.provenance.records import BrokenLinkError

README = """What numbers of {about} rest on. To check it, with Python 3.11 and nothing else:

    python3 verify.py

or, without unpacking, python3 verify.py paper.zip. A verify.py that came with what it verifies
proves little: thinslice ({version}) has the same file, and takes the zip: thinslice audit paper.zip

results/            tables, evidence and scores of every case, each with the record of its job
statements/         what each table was made from (in-toto), signed (DSSE) if there is a key.pem
settings.json, code.json, environment.json    of all jobs; ro-crate-metadata.json: the run
manifest.json       the hash of every file here, and of those that are not: volumes, weights, scans
"""
WORKFLOW = (crate.WORKFLOW, crate.LOCK)  # of a checkout


def of_record(record: Path, key: Key | None = None, licence: str = "") -> dict[str, bytes]:
    """Every member of the capsule of a record, by name; the current folder holds ``results``.

    key       signs the statements
    licence   a URL, for the crate

    Raises Refused where the record is of nothing that rests on evidence, BrokenLinkError where the
    results do not hold.
    """
    behind = upstream.contents(record)
    contents = {each["id"]: each for each in behind.values()}
    if not any(each["rule"] == "analyse" for each in contents.values()):
        raise Refused(f"{record} rests on no table: name a table, a figure or the report")
    members, absent = _files(record, contents.values())
    if reruns.read():
        members[str(reruns.FILE)] = reruns.FILE.read_bytes()
    records = {identity: _without_id(each) for identity, each in contents.items()}
    about = _about(record, behind[record])
    members |= _of_jobs(records) | _of_checkout()
    members[verify.SELF] = Path(verify.__file__).read_bytes()
    members["README.txt"] = README.format(about=about, version=__version__).encode()
    if key:
        members[verify.KEY] = key.pem()
    members[crate.METADATA] = crate.metadata(members, records, about, licence)
    members = _sealed(members, absent, records, key)
    if broken := [*verify.Capsule(members).problems()]:
        raise BrokenLinkError("; ".join(broken[:3]))
    return members


def _sealed(
    members: dict[str, bytes], absent: Mapping[str, str], records: verify.Records, key: Key | None
) -> dict[str, bytes]:
    """The members with their statements and the manifest, which lists all but the last of them."""

    def named(statements: Mapping[str, bytes]) -> dict[str, bytes]:
        if key is None:
            return {stem + verify.UNSIGNED: text for stem, text in statements.items()}
        return {stem + verify.SIGNED: key.envelope(text) for stem, text in statements.items()}

    of_tables = verify.statements_of(records, b"")
    del of_tables[verify.OF_ALL]
    listed = {**members, **named(of_tables)}
    files = {name: verify.sha256(text) for name, text in listed.items()}
    content = {"format": 1, "thinslice": __version__, "files": files, "not_here": dict(absent)}
    manifest = verify.text_of({"id": verify.id_of(content), **content})
    last = {verify.OF_ALL: verify.statements_of({}, manifest)[verify.OF_ALL]}
    return {**listed, verify.MANIFEST: manifest, **named(last)}


def _files(
    record: Path, contents: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """Results and records that go in, and the hashes of those that do not, by path."""
    paths, absent = {str(record)}, {}
    for content in contents:
        paths |= {link["record"] for link in content["inputs"].values() if link["record"]}
        for made in content["outputs"].values():
            path = Path(made["path"])
            name = made["path"] + (verify.STORE if path.is_dir() else "")
            if not Path(name).is_file() or path.suffix in loose_weights.ENDINGS or _outside(path):
                absent[made["path"]] = made["sha256"]
            else:
                paths.add(name)
        links = content["inputs"].values()
        absent |= {link["path"]: link["sha256"] for link in links if link["record"] is None}
    return {path: Path(path).read_bytes() for path in paths}, absent


def _outside(path: Path) -> bool:
    return path.is_absolute() or ".." in path.parts


def _of_jobs(records: verify.Records) -> dict[str, bytes]:
    """Settings, digests of code, and environments of all jobs, each value with its records."""
    settings: dict[str, Any] = {}
    code: dict[str, dict[str, list[str]]] = {}
    environment: dict[str, dict[str, list[str]]] = {}
    for identity, record in records.items():
        for key, cards in record["cards"].items():
            for card in cards if isinstance(cards, list) else [cards]:
                kind = settings.setdefault(KIND_OF_CARD.get(key) or key, {})
                kind.setdefault(verify.id_of(card), {"card": card, "records": []})
                kind[verify.id_of(card)]["records"].append(identity)
        for name, digest in record["modules"].items():
            code.setdefault(name, {}).setdefault(digest, []).append(identity)
        facts = {**record["packages"], **record["machine"], **record["git"]}
        for name, value in facts.items():
            environment.setdefault(name, {}).setdefault(str(value), []).append(identity)
    texts = {crate_jobs.SETTINGS: settings, "code.json": code, "environment.json": environment}
    return {name: verify.text_of(value) for name, value in texts.items()}


def _of_checkout() -> dict[str, bytes]:
    """The workflow's file and the lock of its packages, where this is a checkout."""
    paths = {name: SCRIPTS.parent / name for name in WORKFLOW} if SCRIPTS.is_dir() else {}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


def _about(record: Path, content: Mapping[str, Any]) -> str:
    made = [each["path"] for each in content["outputs"].values()]
    return made[-1] if made else str(record)


def _without_id(content: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key != "id"}
