"""Name the folder of a training's checkpoints."""

from collections.abc import Mapping
from typing import Any

from thinslice.provenance.records import record_id


def checkpoint_name(
    card: Mapping[str, Any], input_hashes: Mapping[str, str], script: str | None
) -> str:
    """A digest of what the checkpoints depend on.

    card            its digest of code is that of the method
    input_hashes    SHA-256 of every input, by name
    script          digest of the script's code, which reads the data
    """
    return record_id({"card": card, "data": input_hashes, "script": script})
