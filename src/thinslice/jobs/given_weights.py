"""Take weights of others for a method: named in the config, trained by no job here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import __version__, plugins
from thinslice.errors import Refused
from thinslice.fs.hashing import sha256_of_file
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.training import given_weights as reading
from thinslice.workflow.cells import given_files


def given_weights(card: Mapping[str, Any], out: Path) -> None:
    """Write the weights that a card names to ``out``, as a training would have.

    A file of thinslice, of another run or of the package, is taken by the method that it is of.
    Refused for weights of others where the method takes none, for a file that holds no tensors, and
    where a tensor's name or shape is not the network's, on either side; each by name.
    """
    files = given_files(card)
    module = plugins.module_name("methods", card)
    named = recorded_job(
        record_path(out),
        rule="given_weights",
        cards={"method": card},
        inputs={},
        plugins=[module],
        raw=files.values(),
    )
    with named as job:
        method = plugins.build("methods", card)
        _take(method, card["name"], files)
        hashes = {part: sha256_of_file(path) for part, path in files.items()}
        about = {"thinslice": __version__, "card": card, "given": hashes}
        method.save(out, about)
        job.output("weights", out)
        job.fact("parameters", method.parameters())


def _take(method: Any, name: str, files: Mapping[str, Path]) -> None:
    if set(files) == {""} and reading.ours(files[""]):
        method.load(files[""])  # which compares method, settings and shapes
        return
    parts = getattr(method, "given_parts", None)
    if parts is None:
        raise Refused(
            f"methods {name}: found weights of others; expected none, or a file that thinslice "
            "wrote for this method; leave weights out, and it is trained"
        )
    named = {part or parts[0]: path for part, path in files.items()}
    if unknown := sorted(set(named) - set(parts)):
        raise Refused(
            f"methods {name}: found weights of {', '.join(unknown)}; expected those of "
            f"{', '.join(parts)}; correct the names"
        )
    states = {part: reading.read(path) for part, path in named.items()}
    try:
        method.use_given(states)
    except (ValueError, RuntimeError, KeyError) as error:
        found = " ".join(str(error).split())
        raise Refused(
            f"{', '.join(map(str, named.values()))}: found weights that are not {name}'s "
            f"({found}); expected the authors' names and shapes, all of them; give their own file"
        ) from error
