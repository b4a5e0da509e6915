"""Label maps of one dataset's thin scans: which voxels are which structure."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from thinslice import plugins, store
from thinslice.errors import Refused, in_case
from thinslice.interfaces import WithLabels
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.segmentation import label_maps
from thinslice.store import Store


def labels(card: Mapping[str, Any], raw: Path, raw_record: Path, thin: Path, out: Path) -> None:
    """Write the label maps of every case in a thin store; Refused for a data set without any.

    card    dataset entry of config.yaml
    raw     folder of the files that ``raw_record`` names
    """
    dataset = plugins.build("datasets", card)
    if not isinstance(dataset, WithLabels):
        raise Refused(
            f"config: segmentation: {card['name']} has no labels; leave it out of its datasets"
        )
    with recorded_job(
        record_path(out),
        rule="labels",
        cards={"dataset": card},
        inputs={"raw": raw_record, "thin": thin},
        plugins=[plugins.module_name("datasets", card)],
    ) as job:
        label_maps.write(out, dataset.structures, _maps(dataset, raw, store.open_store(thin)))
        job.output("labels", out)
        job.fact("structures", list(dataset.structures))


def _maps(dataset: WithLabels, raw: Path, thin: Store) -> Iterator[tuple[str, np.ndarray]]:
    """Every case of the store that has labels; Refused where they are of another grid."""
    readers = dataset.labels(raw)
    for case in thin.cases():
        with in_case(case):
            found = readers[case](thin.grid(case))
        yield case, found
