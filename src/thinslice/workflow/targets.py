"""Names of the records that targets ask for. Standard library only."""

from collections.abc import Mapping
from typing import Any

from thinslice.workflow.cells import cells, given_files, has_truth, scored, segmented, sources


def upstream_records(config: Mapping[str, Any]) -> list[str]:
    """Every record that the evidence rests on, requested so that a missing one is made again.

    A run that is killed can lose a record whose results, and whatever was made from them, are
    still there: Snakemake would never ask for it.
    """
    runnable, fitted = cells(config), sources(config)
    tested = {(cell.dataset, cell.degradation) for cell in runnable}
    thick = sorted(tested | {(source.dataset, source.degradation) for _, source in fitted})
    names = [f"{stage}/{dataset}" for dataset, _ in thick for stage in ("raw", "thin")]
    names += [f"thick/{dataset}/{degradation}" for dataset, degradation in thick]
    names += [f"weights/{method}/{source.label}" for method, source in fitted]
    given = [c.method for c in runnable if given_files(config["methods"][c.method])]
    names += [f"weights/{method}/given" for method in given]
    names += [f"restored/{cell.path}" for cell in runnable]
    names += [f"scores/{cell.path}" for cell in scored(config)]
    names += [f"segmented/{cell.path}" for cell in segmented(config)]
    for dataset in dict.fromkeys(cell.dataset for cell in segmented(config)):
        names += [f"labels/{dataset}", f"segmenters/{dataset}"]
    records = [f"results/{name}.record.json" for name in dict.fromkeys(names)]
    return [*records, *gathered_records(config), *pairs_records(config)]


def gathered_records(config: Mapping[str, Any]) -> list[str]:
    """The records that gather the scores of each dataset and degradation."""
    pairs = dict.fromkeys((cell.dataset, cell.degradation) for cell in scored(config))
    return [f"results/evidence/{'/'.join(pair)}.record.json" for pair in pairs]


def score_records(config: Mapping[str, Any]) -> dict[tuple[str, str], list[str]]:
    """The records of the scores, by dataset and degradation; of what a segmenter found, too."""
    records: dict[tuple[str, str], list[str]] = {}
    stages = [("scores", cell) for cell in scored(config)]
    for stage, cell in [*stages, *(("segmented", cell) for cell in segmented(config))]:
        record = f"results/{stage}/{cell.path}.record.json"
        records.setdefault((cell.dataset, cell.degradation), []).append(record)
    return records


def scan_records(config: Mapping[str, Any]) -> list[str]:
    """The records of the scans that cells are tested or fitted on: what readers warned of."""
    tested = [cell.dataset for cell in cells(config)]
    fitted = [source.dataset for _, source in sources(config)]
    return [f"results/thin/{name}.record.json" for name in dict.fromkeys([*tested, *fitted])]


def pairs_records(config: Mapping[str, Any]) -> list[str]:
    """The records of the slice pairs: of datasets with thin slices and an acquired thick series."""
    return [
        f"results/pairs/{dataset}.record.json"
        for dataset in config["grid"]["datasets"]
        if config["datasets"][dataset].get("acquired", False) and has_truth(dataset, config)
    ]
