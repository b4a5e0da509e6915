"""Raw files of one dataset to its thin volumes and, where acquired, its thick ones."""

import argparse
import json
from pathlib import Path

from thinslice import errors, plugins, store
from thinslice.interfaces import Case
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.volume import Grid


def asked_for(case: Case) -> Grid:
    """The grid that restored volumes of a case are to be on; ValueError if it says none."""
    grid = case.thin.grid if case.thin is not None else case.target
    if grid is None:
        raise ValueError(f"{case.name} has neither thin slices nor a target grid")
    return grid


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--card", type=json.loads, required=True, help="dataset entry of config.yaml")
    p.add_argument("--raw", type=Path, required=True, help="folder of downloaded files")
    p.add_argument("--raw-record", type=Path, required=True, help="record of the raw files")
    p.add_argument("--thin", type=Path, required=True, help="store of thin volumes")
    p.add_argument("--thick", type=Path, required=True, help="store; empty if none acquired")
    a = p.parse_args()

    dataset = plugins.build("datasets", a.card)
    records = [record_path(a.thin), record_path(a.thick)]
    with recorded_job(
        *records, rule="convert", cards={"dataset": a.card}, inputs=[a.raw_record]
    ) as job:
        with store.writing(a.thin) as thin, store.writing(a.thick) as thick:
            for case in dataset.cases(a.raw):
                about = {"patient": case.patient, "split": case.split, "source": dict(case.source)}
                target = asked_for(case).to_json()
                if case.thin is not None:
                    thin.add(case.name, case.thin, **about)
                if case.thick is not None:
                    thick.add(case.name, case.thick, target=target, **about)
                print(f"converted {case.name} ({case.split})", flush=True)
        job.output(a.thin)
        job.output(a.thick)


if __name__ == "__main__":
    errors.run_script(main)
