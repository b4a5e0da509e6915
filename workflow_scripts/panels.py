"""Show one test case of a dataset: thin, thick and every method's restored, whole or in patches."""

import argparse
import json
from pathlib import Path

from thinslice import errors, store
from thinslice.provenance.job import recorded_job
from thinslice.provenance.records import record_path
from thinslice.report.pictures import panels, patches

KINDS = {"panels": panels, "patches": patches}


def main() -> None:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--card", type=json.loads, required=True, help="kind and settings, JSON")
    p.add_argument("--thin", type=Path, nargs="?", help="none where nobody scanned thin slices")
    p.add_argument("--thick", type=Path, required=True)
    p.add_argument("--restored", type=Path, nargs="+", required=True, help="one store a method")
    p.add_argument("--names", nargs="+", required=True, help="the methods, in the same order")
    p.add_argument("--sim", required=True, help="'sim' where the scans are simulated, or empty")
    p.add_argument("--out", type=Path, required=True, help="png; the pdf goes beside it")
    a = p.parse_args()

    inputs = [*([a.thin] if a.thin else []), a.thick, *a.restored]
    with recorded_job(
        record_path(a.out), rule="panels", cards={"picture": a.card}, inputs=inputs
    ) as job:
        restored = [store.open_store(path) for path in a.restored]
        case = restored[0].cases()[0]
        thin = store.open_store(a.thin).read(case) if a.thin else None
        thick = store.open_store(a.thick).read(case)
        shown = dict(zip(a.names, (one.read(case) for one in restored)))
        said = {"case": case, "sim": a.sim, **a.card["settings"]}
        KINDS[a.card["kind"]].draw(thin, thick, shown, a.out.with_suffix(""), **said)
        job.output(a.out)
        job.output(a.out.with_suffix(".pdf"))


if __name__ == "__main__":
    errors.run_script(main)
