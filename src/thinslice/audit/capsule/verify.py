"""Verify a capsule of numbers: python3 verify.py [CAPSULE] [--key PUBLIC.pem]

CAPSULE: the zip, or the folder it was unpacked to (left out: of this file). Needs only Python 3.11.
Exit status: 0 all of it holds, 1 something does not, and is named, 2 there is no capsule.
"""

import argparse
import base64
import csv
import hashlib
import io
import json
import math
import sys
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Members = Mapping[str, bytes]  # content by name
Records = Mapping[str, Mapping[str, Any]]  # content by id, without the id
MANIFEST, SELF, KEY, SCORES = "manifest.json", "verify.py", "key.pem", "results/evidence/scores.csv"
RECORD, STORE, SIGNED, UNSIGNED = ".record.json", "/manifest.json", ".dsse.json", ".intoto.json"
OF_ALL = "statements/capsule"  # the statement about the manifest, which lists everything else
CHAIN, PACKED = "urn:thinslice:chain:1", "urn:thinslice:capsule:1"  # kinds of predicates
PAYLOAD = b"application/vnd.in-toto+json"
CELL = ("dataset", "degradation", "method", "fitted_on", "protocol", "metric", "view", "range")
CELL = (*CELL, "phase_mm", "unit", "better", "fidelity", "sim")


def sha256(content: bytes) -> str:
    """The hash of a member, in hex."""
    return hashlib.sha256(content).hexdigest()


def text_of(value: Any) -> bytes:
    """JSON as every file of ours has it, to the byte."""
    return (json.dumps(value, indent=1, sort_keys=True) + "\n").encode()


def id_of(content: Any) -> str:
    """The id of a record or the manifest: the hash of its content, 16 hex digits."""
    return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())[:16]


def content_of(name: str, text: bytes) -> dict[str, Any]:
    """A record or the manifest without its id; ValueError where the id is not its content's."""
    try:
        content = json.loads(text)
        identity = content.pop("id")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise ValueError(f"{name} is missing, or was changed: it is no JSON with an id") from None
    if id_of(content) != identity or text_of({"id": identity, **content}) != text:
        raise ValueError(f"{name} was changed: its id {identity} is not that of its content")
    return content


def packed(members: Members) -> bytes:
    """The zip of these members, which has no byte that does not follow from them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in sorted(members):
            info = zipfile.ZipInfo(name)
            info.external_attr, info.create_system = 0o644 << 16, 3
            archive.writestr(info, members[name])
    return out.getvalue()


def read(capsule: Path) -> tuple[dict[str, bytes], list[str]]:
    """Members of a zip or a folder, and what is wrong with the zip itself."""
    if capsule.is_dir():
        files = [path for path in capsule.rglob("*") if path.is_file()]
        return {path.relative_to(capsule).as_posix(): path.read_bytes() for path in files}, []
    members, broken = {}, []
    with zipfile.ZipFile(capsule) as archive:
        swells = sum(info.file_size for info in archive.infolist()) > capsule.stat().st_size
        for name in [] if swells else archive.namelist():
            try:
                members[name] = archive.read(name)
            except Exception as error:  # whatever a damaged zip raises, it is named
                broken.append(f"{name} cannot be read: {error}")
    if not broken and packed(members) != capsule.read_bytes():
        broken.append(f"{capsule.name} itself was changed, or packed again")
    return members, broken


def chain(identity: str, records: Records) -> dict[str, Any]:
    """The predicate of a statement: every record behind one, with all hashes, down to raw files."""
    links: dict[str, Any] = {}
    todo = [identity]
    while todo:
        if (each := todo.pop()) in links or each not in records:
            continue
        record = records[each]
        made, used = record["outputs"].values(), record["inputs"].values()
        links[each] = {key: record[key] for key in ("rule", "cards", "script_code", "git")}
        links[each]["outputs"] = {link["path"]: link["sha256"] for link in made}
        links[each]["inputs"] = {link["path"]: [link["sha256"], link["record_id"]] for link in used}
        todo += [link["record_id"] for link in used if link["record_id"]]
    return {"record": identity, "links": links}


def statement(subjects: Mapping[str, str], kind: str, predicate: Mapping[str, Any]) -> bytes:
    """An in-toto statement about files, given by name and hash."""
    named = [{"name": name, "digest": {"sha256": subjects[name]}} for name in sorted(subjects)]
    whole = {"subject": named, "predicateType": kind, "predicate": predicate}
    return text_of({"_type": "https://in-toto.io/Statement/v1", **whole})


def statements_of(records: Records, manifest: bytes) -> dict[str, bytes]:
    """The statement of every table, of the page and of the manifest, by name without an ending."""
    found = {OF_ALL: statement({MANIFEST: sha256(manifest)}, PACKED, {"verifier": SELF})}
    for identity, record in records.items():
        if record["rule"] in ("analyse", "page"):
            made = {each["path"]: each["sha256"] for each in record["outputs"].values()}
            first = min(made, key=lambda path: not path.endswith((".csv", ".html")))
            stem = first.rpartition("/")[2].partition(".")[0]
            found[f"statements/{stem}"] = statement(made, CHAIN, chain(identity, records))
    return found


def envelope(payload: bytes, key: bytes, signature: str) -> bytes:
    """A signed statement (DSSE); the signature in base64."""
    body = {"payloadType": PAYLOAD.decode(), "payload": base64.b64encode(payload).decode()}
    return text_of({**body, "signatures": [{"keyid": sha256(key), "sig": signature}]})


def to_sign(payload: bytes) -> bytes:
    """The bytes that a signature is over (DSSE's pre-authentication encoding)."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD, len(payload), payload)


def mean_of(values: list[float]) -> tuple[float, int]:
    """The mean of the finite values, and how many; or of nothing but one and the same infinity."""
    known = [value for value in values if value == value]
    numbers = known if len({*known}) == 1 else [value for value in known if math.isfinite(value)]
    return (math.fsum(numbers) / len(numbers) if numbers else math.nan), len(numbers)


class Capsule:
    """What is in a capsule; every check yields what does not hold, by its file."""

    def __init__(self, members: Members) -> None:
        self.members, self.manifest, self.records, self.broken = members, {}, {}, []
        self.hashes = {name: sha256(text) for name, text in members.items()}
        self.key = public_key(members[KEY]) if KEY in members else None
        for name in sorted({MANIFEST, *(name for name in members if name.endswith(RECORD))}):
            try:
                content = content_of(name, members.get(name, b""))
                self.records |= {} if name == MANIFEST else {id_of(content): content}
                self.manifest = content if name == MANIFEST else self.manifest
            except ValueError as error:
                self.broken.append(str(error))

    def problems(self) -> Iterator[str]:
        """Everything that does not hold."""
        yield from self.broken
        for check in (self.files, self.statements, self.links, self.evidence, self.numbers):
            try:
                yield from [*check()] if self.manifest else []
            except Exception as error:  # a forger's records may lack anything
                yield f"the {check.__name__} are not as thinslice writes them: {error!r}"

    def files(self) -> Iterator[str]:
        """Members that are not what the manifest says."""
        expected = self.manifest["files"]
        unlisted = {MANIFEST, OF_ALL + (UNSIGNED if self.key is None else SIGNED)}
        for name in sorted({*expected, *self.hashes} - unlisted):
            now, then = self.hashes.get(name, "none, missing"), expected.get(name, "none, added")
            if now != then:
                yield f"{name} was changed: sha256 {now[:13]}, recorded {then[:13]}"

    def links(self) -> Iterator[str]:
        """Outputs and inputs that are not what records say, down to raw files."""
        hashes = {**self.manifest["not_here"], **self.hashes}
        for identity, record in self.records.items():
            for made in record["outputs"].values():
                if hashes.get(made["path"], hashes.get(made["path"] + STORE)) != made["sha256"]:
                    yield f"{made['path']} is not what record {identity} made"
            for used in record["inputs"].values():
                source = self.records.get(used["record_id"], {"outputs": {}})
                claims = {made["sha256"] for made in source["outputs"].values()}
                if used["record"] in (None, used["path"]):  # a raw file, or a record itself
                    claims = {hashes.get(used["path"])}
                if used["sha256"] not in claims or used["record_id"] not in {None, *self.records}:
                    yield f"{used['path']} is not what record {identity} read"

    def statements(self) -> Iterator[str]:
        """Statements that say something else than the records, or are not signed so."""
        for stem, payload in statements_of(self.records, self.members[MANIFEST]).items():
            name = stem + (UNSIGNED if self.key is None else SIGNED)
            text = self.members.get(name, b"")
            signature = text.partition(b'"sig": "')[2].partition(b'"')[0].decode("ascii", "replace")
            if text != (payload if self.key is None else envelope(payload, self.key, signature)):
                yield f"{name} is missing, or does not say what the records say"
            elif self.key is not None and not signed_by(self.key, to_sign(payload), signature):
                yield f"{name} is not signed by {KEY}"

    def rows(self, name: str) -> list[dict[str, str]]:
        """The rows of a CSV; none of one that is not there."""
        return list(csv.DictReader(io.StringIO(self.members.get(name, b"").decode())))

    def evidence(self) -> Iterator[str]:
        """Scores in the evidence that are not those of the files they were gathered from."""
        columns, gathered = (*CELL, "case", "patient", "value"), self.rows(SCORES)
        scored = {k: r for k, r in self.records.items() if r["rule"] in ("score", "segment")}
        for identity in sorted({row["record"] for row in gathered} | {*scored}):
            path = scored[identity]["outputs"]["scores"]["path"]
            here = [[row[c] for c in columns] for row in gathered if row["record"] == identity]
            if here != [[row[c] for c in columns] for row in self.rows(path)]:
                yield f"{SCORES} has other scores of record {identity} than {path}"

    def numbers(self) -> Iterator[str]:
        """Means of the benchmark that the scores of the cases do not give."""
        patients: dict[tuple[str, ...], dict[str, list[float]]] = {}
        for score in self.rows(SCORES):
            cell = patients.setdefault(tuple(score[key] for key in CELL), {})
            cell.setdefault(score["patient"], []).append(float(score["value"] or "nan"))
        for table in sorted(name for name in self.members if name.endswith("/benchmark.csv")):
            for k, row in enumerate(self.rows(table), start=1):
                cases = patients.get(tuple(row[key] for key in CELL), {}).values()
                mean, n = mean_of([mean_of(values)[0] for values in cases])
                if (mean.hex(), str(n)) != (float(row["mean"] or "nan").hex(), row["n"]):
                    yield f"{table} row {k}: mean {row['mean']} of {row['n']}, not {mean} of {n}"


# Ed25519 (RFC 8032): points (x, y) of -x^2 + y^2 = 1 + d x^2 y^2 over the integers modulo P.
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, BASE_Y = -121665 * pow(121666, -1, P) % P, 4 * pow(5, -1, P) % P
BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202


def add(a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    """The sum of two points."""
    t = D * a[0] * b[0] * a[1] * b[1]
    x, y = a[0] * b[1] + a[1] * b[0], a[1] * b[1] + a[0] * b[0]
    return x * pow(1 + t, -1, P) % P, y * pow(1 - t, -1, P) % P


def times(k: int, point: tuple[int, int]) -> tuple[int, int]:
    """A multiple of a point."""
    half = times(k // 2, add(point, point)) if k else (0, 1)
    return add(half, point) if k & 1 else half


def decoded(text: bytes) -> tuple[int, int]:
    """The point of 32 bytes; ValueError if there is none."""
    sign, y = divmod(int.from_bytes(text, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * pow(2, (P - 1) // 4, P) % P
    if len(text) != 32 or y >= P or (x * x - square) % P or (x == 0 and sign):
        raise ValueError("no point of the curve")
    return (x if x & 1 == sign else P - x), y


def signed_by(key: bytes, message: bytes, signature: str) -> bool:
    """Whether a signature of a message (64 bytes, base64) is that of a public key [32 bytes]."""
    try:
        whole = base64.b64decode(signature, validate=True)
        s = int.from_bytes(whole[32:], "little")
        k = int.from_bytes(hashlib.sha512(whole[:32] + key + message).digest(), "little") % L
        point = add(decoded(whole[:32]), times(k, decoded(key)))
    except ValueError:
        return False
    exact = base64.b64encode(whole).decode() == signature and s < L
    return exact and times(s, (BASE_X, BASE_Y)) == point


def public_key(pem: bytes) -> bytes:
    """The 32 bytes of a public key (PEM, in which 12 others lead); none if it is damaged."""
    try:
        return base64.b64decode(b"".join(pem.splitlines()[1:2]) + b"==")[12:]
    except ValueError:
        return b""


def main(words: list[str] | None = None) -> int:
    """Print what is broken, or that everything holds."""
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("capsule", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    p.add_argument("--key", type=Path, help="the public key (PEM) that it must be signed by")
    arguments = p.parse_args(words)
    try:
        members, broken = read(arguments.capsule)
        known = public_key(arguments.key.read_bytes()) if arguments.key else None
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        print(f"{arguments.capsule} is no capsule: {error}", file=sys.stderr)
        return 2
    capsule = Capsule(members)
    broken += capsule.problems()
    broken += [] if known in (None, capsule.key) else [f"{KEY} is not the key of --key"]
    lines = [f"BROKEN  {problem}" for problem in broken] or ["everything in it holds"]
    key = f"signed, key {sha256(capsule.key)}" if capsule.key else "not signed"
    print(*lines, f"{len(members)} files; {key}", sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
