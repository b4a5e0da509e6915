"""Download one dataset and record every raw file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import plugins
from thinslice.provenance.job import recorded_job


def fetch(card: Mapping[str, Any], raw: Path, record: Path, mirror: str = "") -> None:
    """Download what is missing of a dataset, verify it, and record each raw file with its hash.

    card      dataset entry of config.yaml
    raw       folder of downloaded files
    mirror    folder or address tried before the publisher's; empty if none
    """
    dataset = plugins.build("datasets", card)
    dataset.fetch(raw, mirror or None)
    files = list(dataset.files(raw))
    with recorded_job(
        record,
        rule="fetch",
        cards={"dataset": card},
        inputs={},
        plugins=[plugins.module_name("datasets", card)],
        raw=files,
    ) as job:
        job.fact("files", len(files))
