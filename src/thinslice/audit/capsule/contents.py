"""What a capsule is and whether it holds, by the verifier that it carries."""

import zipfile
from pathlib import Path

from thinslice.audit import summary
from thinslice.audit.capsule import verify
from thinslice.audit.summary import Summary
from thinslice.audit.verify import Verdict

NOT_HERE = "volumes, weights and raw scans"


def are(path: Path) -> bool:
    """Whether a file is a capsule, by its ending: one that is damaged is one too."""
    return path.suffix == ".zip" and path.is_file()


def verified(path: Path) -> tuple[Summary, Verdict]:
    """What is in it, and what does not hold."""
    try:
        members, broken = verify.read(path)
    except (ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        return _summary(path, verify.Capsule({})), Verdict(problems=[f"{path}: {error}"])
    capsule = verify.Capsule(members)
    return _summary(path, capsule), Verdict(problems=[*broken, *capsule.problems()])


def _summary(path: Path, capsule: verify.Capsule) -> Summary:
    tables = sum(record.get("rule") == "analyse" for record in capsule.records.values())
    key = f"signed, key {verify.sha256(capsule.key)[:16]}" if capsule.key else "not signed"
    what = f"{path}: a capsule of {tables} table(s), {len(capsule.members)} files, {key}"
    absent = len(capsule.manifest.get("not_here", ()))
    data = f"{absent} file(s) that are not in it are known by their hash alone: {NOT_HERE}"
    # The splits of converted data sets stand in volumes, which are not in it.
    records = [each for each in capsule.records.values() if each.get("rule") != "convert"]
    try:
        whole = summary.of_records(what, records)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):  # none, or damaged ones
        return Summary(what, "at a time that no record in it names", data, {"what": what})
    return Summary(what, whole.made, data, {**whole.facts, "data": {}})
