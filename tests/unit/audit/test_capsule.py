"""A capsule holds what a table rests on; whatever is changed in it is named, on a bare Python."""

import csv
import io
import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support import tampering
from thinslice.audit.capsule import signing, verify
from thinslice.cli.command import main

TABLE, PAGE = "results/tables/benchmark.csv", "results/report.html"
FIGURE, PATIENTS = "results/figures/bars.png", "results/tables/patients.csv"
ZIP = Path("paper.zip")
SEED = bytes(range(32))


def capsule(*words: str) -> dict[str, bytes]:
    """The members of a capsule, made by the command."""
    assert main(["capsule", *words, "-o", str(ZIP), "--overwrite"]) == 0
    return verify.read(ZIP)[0]


def key_file(seed: bytes = SEED) -> Path:
    path = Path("private.pem")
    body = signing.base64.b64encode(signing.PKCS8 + seed).decode()
    path.write_text(f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    return path


def problems(members: dict[str, bytes]) -> list[str]:
    return [*verify.Capsule(members).problems()]


def bare(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """verify.py by a Python that sees neither packages nor the environment."""
    command = [sys.executable, "-I", "-S", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, cwd="/")


@pytest.mark.parametrize(
    ("what", "table"),
    [
        (TABLE, TABLE),
        ("results/tables/benchmark.md", TABLE),
        (FIGURE, "results/tables/patients.csv"),
    ],
)
def test_what_a_table_rests_on_is_in_it_and_holds(results, what, table):
    members = capsule(what)
    assert problems(members) == []
    assert {what, table, "results/evidence/scores.csv", "settings.json"} <= members.keys()
    assert PAGE not in members


def test_that_of_the_page_holds_the_page_and_every_table(results):
    members = capsule(PAGE)
    assert {
        PAGE,
        TABLE,
        "results/tables/patients.csv",
        "results/figures/bars.pdf",
    } <= members.keys()
    statements = {name for name in members if name.startswith("statements/")}
    names = ("report", "benchmark", "patients", "capsule")
    assert statements == {f"statements/{name}.intoto.json" for name in names}


def test_the_same_results_give_the_same_bytes(results):
    capsule(PAGE, "--key", str(key_file()))
    first = ZIP.read_bytes()
    capsule(PAGE, "--key", str(key_file()))
    assert ZIP.read_bytes() == first


def test_the_verifier_in_it_needs_a_bare_python_and_at_most_300_lines(results, tmp_path):
    members = capsule(PAGE, "--key", str(key_file()))
    assert members["verify.py"] == Path(verify.__file__).read_bytes()
    assert len(members["verify.py"].splitlines()) <= 300
    folder = tmp_path / "else where"
    zipfile.ZipFile(ZIP).extractall(folder)
    for words in [(), (folder,), (ZIP.absolute(), "--key", folder / "key.pem")]:
        done = bare(folder / "verify.py", *words)
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "everything in it holds")
    (folder / TABLE).write_text("mean\n1\n")
    done = bare(folder / "verify.py")
    assert done.returncode == 1
    assert f"BROKEN  {TABLE} was changed" in done.stdout


@pytest.mark.parametrize("signed", [False, True])
def test_every_member_that_is_changed_removed_or_added_is_named(results, signed):
    members = capsule(PAGE, *(["--key", str(key_file())] if signed else []))
    chance = random.Random(3)
    of_signing = [name for name in members if name.startswith(("statements", "key", "manifest"))]
    for name in of_signing if signed else members:
        for _ in range(1 if signed else 4):
            other = tampering.edited(members[name], chance)
            assert other == members[name] or named(name, {**members, name: other}), name
        assert named(name, {key: text for key, text in members.items() if key != name}), name
    assert named("results/new.csv", {**members, "results/new.csv": b""})


def named(name: str, members: dict[str, bytes]) -> bool:
    return any(name in problem for problem in problems(members))


def test_whatever_byte_of_the_zip_itself_is_changed_it_does_not_hold(results, audit):
    capsule(TABLE, "--key", str(key_file()))
    whole, chance = ZIP.read_bytes(), random.Random(4)
    for _ in range(60):
        ZIP.write_bytes(tampering.edited(whole, chance))
        if ZIP.read_bytes() != whole:
            status, out, _ = audit(ZIP)
            assert status == 1
            assert "BROKEN" in out
    ZIP.write_bytes(whole)
    assert audit(ZIP)[0] == 0


def resealed(members: dict[str, bytes]) -> dict[str, bytes]:
    """A forger's capsule: hashes, records and statements made to agree with what was changed."""
    members = {name: text for name, text in members.items() if not name.startswith("statements/")}
    renamed: dict[str, str] = {}
    for _ in range(12):  # a record's id changes those of all that rest on it
        for name in [name for name in members if name.endswith(".record.json")]:
            record = json.loads(members[name])
            for made in record["outputs"].values():
                if made["path"] in members:
                    made["sha256"] = verify.sha256(members[made["path"]])
            for used in record["inputs"].values():
                used["record_id"] = renamed.get(used["record_id"], used["record_id"])
                if used["path"] in members:
                    used["sha256"] = verify.sha256(members[used["path"]])
            then = record.pop("id")
            now = verify.id_of(record)
            renamed |= {then: now} if now != then else {}
            members[name] = verify.text_of({"id": now, **record})
    records = verify.Capsule(members).records
    statements = verify.statements_of(records, b"")
    members |= {f"{stem}.intoto.json": text for stem, text in statements.items()}
    del members["statements/capsule.intoto.json"]
    manifest = json.loads(members.pop("manifest.json"))
    manifest["files"] = {name: verify.sha256(text) for name, text in members.items()}
    manifest.pop("id")
    members["manifest.json"] = verify.text_of({"id": verify.id_of(manifest), **manifest})
    last = verify.statements_of({}, members["manifest.json"])
    return members | {f"{stem}.intoto.json": text for stem, text in last.items()}


def test_a_forged_number_is_named_though_every_hash_agrees(results):
    members = capsule(TABLE)
    assert problems(resealed(members)) == []
    rows = list(csv.DictReader(io.StringIO(members[TABLE].decode())))
    lower = members[TABLE].replace(rows[0]["mean"].encode(), b"1.5", 1)
    (problem,) = problems(resealed({**members, TABLE: lower}))
    assert problem.startswith(f"{TABLE} row 1: mean 1.5 of 3, not ")


def test_a_forged_score_in_the_evidence_is_named(results):
    members = capsule(TABLE)
    scores = members[verify.SCORES].decode().splitlines(keepends=True)
    columns = scores[0].split(",")
    cells = scores[1].split(",")
    cells[columns.index("value")] = "1.5"
    scores[1] = ",".join(cells)
    forged = resealed({**members, verify.SCORES: "".join(scores).encode()})
    assert any("has other scores of record" in problem for problem in problems(forged))


def test_scores_of_a_record_that_is_not_in_it_are_named(results):
    members = capsule(TABLE)
    scores = members[verify.SCORES].decode()
    record = next(csv.DictReader(io.StringIO(scores)))["record"]
    last = scores.splitlines(keepends=True)[-1].replace(record, "f" * 16)
    forged = resealed({**members, verify.SCORES: (scores + last).encode()})
    assert any("f" * 16 in problem for problem in problems(forged))


@pytest.mark.parametrize("signed", [False, True])
def test_a_statement_that_nobody_would_check_is_named(results, signed):
    members = capsule(TABLE, *(["--key", str(key_file())] if signed else []))
    other = verify.OF_ALL + (verify.UNSIGNED if signed else verify.SIGNED)
    assert named(other, {**members, other: b"{}\n"})


@pytest.mark.parametrize(
    "content",
    [{"rule": "x"}, {"rule": "analyse", "outputs": {}, "inputs": {}}, {"rule": ["page"]}],
)
def test_records_and_manifests_that_lack_what_ours_have_are_named(results, audit, content):
    text = verify.text_of({"id": verify.id_of(content), **content})
    assert problems({"manifest.json": text})
    assert problems({**capsule(TABLE), "results/x.record.json": text})
    for members in ({"manifest.json": text}, {"results/x.record.json": text}):
        ZIP.write_bytes(verify.packed(members))
        status, out, _ = audit(ZIP)
        assert (status, "BROKEN" in out) == (1, True)
    deep = b"[" * 100_000
    assert named("results/x.record.json", {**capsule(TABLE), "results/x.record.json": deep})


def test_whatever_byte_of_the_key_is_changed_it_does_not_hold(results):
    members = capsule(TABLE, "--key", str(key_file()))
    for k in range(len(members["key.pem"])):
        torn = members["key.pem"][:k] + b"\n" + members["key.pem"][k + 1 :]
        assert torn == members["key.pem"] or [*verify.Capsule({"key.pem": torn}).problems()]
    torn = members["key.pem"][:37] + b"\n" + members["key.pem"][38:]
    assert named("key.pem", {**members, "key.pem": torn})


def test_of_a_zip_that_swells_nothing_is_read(results, monkeypatch):
    capsule(TABLE)
    with zipfile.ZipFile(ZIP, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(10_000_000))
    monkeypatch.delattr(zipfile.ZipFile, "read")
    members, broken = verify.read(ZIP)
    assert (members, len(broken)) == ({}, 1)
    assert ZIP.name in broken[0]


def test_a_signed_one_holds_for_its_key_alone(results):
    members = capsule(TABLE, "--key", str(key_file()))
    other = signing.of_seed(b"x" * 32)
    assert bare(verify.__file__, ZIP.absolute()).returncode == 0
    foreign = Path("foreign.pem")
    foreign.write_bytes(other.pem())
    done = bare(verify.__file__, ZIP.absolute(), "--key", foreign.absolute())
    assert done.returncode == 1
    assert "key.pem is not the key of --key" in done.stdout
    name = "statements/benchmark.dsse.json"
    records = verify.Capsule(members).records
    payload = verify.statements_of(records, b"")["statements/benchmark"]
    signature = json.loads(other.envelope(payload))["signatures"][0]["sig"]
    key = verify.public_key(members["key.pem"])
    forged = {**members, name: verify.envelope(payload, key, signature)}
    assert f"{name} is not signed by key.pem" in problems(forged)


def test_a_statement_names_its_table_and_ends_at_raw_files(results):
    members = capsule(TABLE)
    statement = json.loads(members["statements/benchmark.intoto.json"])
    made = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    assert made[TABLE] == verify.sha256(members[TABLE])
    links = statement["predicate"]["links"]
    assert statement["predicate"]["record"] in links
    raw = [link for link in links.values() if link["rule"] == "fetch"]
    assert len(raw[0]["inputs"]) == 4  # a manifest and three scans
    assert all(record is None for _, record in raw[0]["inputs"].values())


@pytest.mark.parametrize("words", [("results/raw/own.record.json",), ("nothing.csv",)])
def test_what_rests_on_no_table_is_refused(results, words, capsys):
    assert main(["capsule", *words, "-o", str(ZIP)]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert not ZIP.exists()


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END", b"\xff"])
def test_a_key_that_is_none_is_refused(results, content, capsys):
    Path("bad.pem").write_bytes(content)
    assert main(["capsule", TABLE, "-o", str(ZIP), "--key", "bad.pem"]) == 2
    assert "bad.pem: found no such key" in capsys.readouterr().err


def test_broken_results_give_none_and_one_that_is_there_is_kept(results, capsys):
    Path(TABLE).write_text("mean\n1\n")
    assert main(["capsule", TABLE, "-o", str(ZIP)]) == 1
    assert not ZIP.exists()
    ZIP.write_text("mine")
    assert main(["capsule", PAGE, "-o", str(ZIP)]) == 2
    assert ZIP.read_text() == "mine"


def test_it_is_made_from_another_folder_through_a_link_and_after_a_move(
    results, tmp_path, monkeypatch
):
    before = capsule(TABLE)
    moved = results.rename(tmp_path / "moved")
    (tmp_path / "link").symlink_to(moved / "results")
    monkeypatch.chdir(tmp_path)
    assert capsule("link/tables/benchmark.csv") == before
    monkeypatch.chdir("/")
    out = tmp_path / "third.zip"
    assert main(["capsule", str(moved / TABLE), "-o", str(out)]) == 0
    assert verify.read(out)[0] == before


@pytest.mark.parametrize("record", [{"rule": "convert"}, {"rule": "score"}, {}])
def test_a_capsule_whose_records_say_nothing_is_broken_and_no_traceback(record, tmp_path, audit):
    with zipfile.ZipFile(tmp_path / "paper.zip", "w") as made:
        made.writestr("a.record.json", json.dumps(record))
    status, out, _ = audit(tmp_path / "paper.zip")
    assert (status, "BROKEN" in out) == (1, True)
