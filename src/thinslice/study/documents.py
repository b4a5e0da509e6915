"""Small JSON documents of a study, each with its own digest: the key, and readers' answers."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice.errors import in_one_line, refused

KEY = "thinslice study key 1"
ANSWERS = "thinslice study answers 1"
DIGEST = "sha256"


def sha256_of(text: str) -> str:
    """Digest of a text, as the page computes it in the browser."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def canonical(content: Mapping[str, Any]) -> str:
    """JSON as the page writes it, too: sorted keys, no spaces, no digest."""
    rest = {key: value for key, value in content.items() if key != DIGEST}
    return json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def signed(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content with its digest."""
    return {**content, DIGEST: sha256_of(canonical(content))}


def read(path: Path, form: str) -> dict[str, Any]:
    """A document of a form (KEY, ANSWERS), whole; Refused for anything else."""
    kind = "a study's key" if form == KEY else "answers that a study's page exported"
    if not path.exists():
        raise refused(path, "nothing there", kind, "check the path")
    with in_one_line(path, kind):
        raw = path.read_bytes()
    try:
        content = json.loads(raw)
    except ValueError:
        raise refused(path, "no JSON", kind, "name the right file") from None
    found = content.get("format") if isinstance(content, dict) else type(content).__name__
    if found != form:
        raise refused(path, f"format {found!r}", kind, "name the right file")
    try:
        digest = sha256_of(canonical(content))
    except UnicodeEncodeError:
        raise refused(
            path, "half a character in its text", kind,
            "ask for the file again, under a name without it",
        ) from None  # fmt: skip
    if content.get(DIGEST) != digest:
        raise refused(
            path, "content that is not what its sha256 says", kind,
            "take the file as it was written; nobody may edit it",
        )  # fmt: skip
    return content
