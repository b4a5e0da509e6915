"""``thinslice capsule``: pack what a stranger needs to check a table, with a verifier."""

import argparse
from pathlib import Path

from thinslice.audit import places, question, verify
from thinslice.audit.capsule import members, signing
from thinslice.audit.capsule.verify import MANIFEST, packed, sha256
from thinslice.errors import refused
from thinslice.fs.atomic import replacing
from thinslice.provenance.records import BrokenLinkError


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser(
        "capsule", help="pack what a table or the report rests on, for a stranger to check"
    )
    add = parser.add_argument
    add("what", help="a table, a figure, the report, or a record's id")
    add("-o", "--out", type=Path, required=True, metavar="ZIP", help="the zip to write")
    add("--key", type=Path, metavar="PEM", help="private Ed25519 key that signs the statements")
    add("--license", default="", metavar="URL", help="licence of what is in it, for its metadata")
    add("--results", type=Path, default=Path("results"), help="where records lie (results)")
    add("--overwrite", action="store_true", help="replace a capsule that is there")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if the zip was written, 1 if a link is broken: then nothing is written."""
    out = arguments.out.absolute()
    if out.exists() and not arguments.overwrite:
        raise refused(out, "a file", "none", "name another, or add --overwrite")
    key = None if arguments.key is None else signing.read_key(arguments.key)
    try:
        record = question.find(arguments.what, arguments.results)
        with places.entered(record) as inside:
            verdict = verify.verify(question.of_record(inside, record, None, ""))
            if verdict.problems:
                raise BrokenLinkError("; ".join(verdict.problems[:3]))
            content = members.of_record(inside, key, arguments.license)
    except BrokenLinkError as error:
        print(f"BROKEN  {error}\nno capsule was written")
        return 1
    whole = packed(content)
    with replacing(out) as temporary:
        temporary.write_bytes(whole)
    print(_words(content, whole, arguments.out))
    return 0


def _words(content: dict[str, bytes], whole: bytes, out: Path) -> str:
    """What was written, and what to look at before it is sent."""
    signed = "signed" if "key.pem" in content else "not signed"
    return (
        f"{out}: {len(content)} files, {len(whole) / 2**20:.1f} MiB, {signed}; "
        f"{MANIFEST} {sha256(content[MANIFEST])[:16]}\n"
        f"sha256 of the zip {sha256(whole)}: publish it where nobody can change it\n"
        "look before you send it: records hold the names of machines, folders, raw files, patients "
        "and cases"
    )
