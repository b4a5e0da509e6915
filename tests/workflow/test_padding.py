"""The whole workflow on padded scans: every number of the tables is the same for any padding."""

import csv
import shutil

import numpy as np
import pytest

from support.checkout import Checkout, fresh
from support.padded_scans import THICK, THIN, as_in_file
from support.paths import ROOT
from thinslice.io.nifti.write import write_nifti
from thinslice.volume import Volume

pytestmark = pytest.mark.slow
OVERLAY = "experiments/own_data.yaml"


def folder(root, number, step_px):
    """Three patients, the last with a thick series too."""
    root.mkdir()
    lines = ["case,patient,split,thin,thick"]
    for seed, split in enumerate(("train", "val", "test")):
        volume = Volume(as_in_file(THIN, number, step_px, seed), THIN)
        write_nifti(volume, root / f"{split}.nii.gz")
        lines.append(f"{split}1,{split},{split},{split}.nii.gz,")
    numbers = as_in_file(THICK, number, step_px, 2)
    write_nifti(Volume(numbers, THICK), root / "thick.nii.gz")
    lines[-1] += "thick.nii.gz"
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


def numbers_of(made: Checkout, table: str) -> list[tuple[str, ...]]:
    """Every cell of a table but those that name records and times."""
    with (made.folder / f"results/tables/{table}.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    compared = [name for name in rows[0] if name not in ("records", "record", "wall_s")]
    return [tuple(row[name] for name in compared) for row in rows]


@pytest.mark.parametrize("step_px", [0.0, 0.15])
def test_tables_do_not_depend_on_the_number(tmp_path, step_px):
    tables = []
    for number in (-2000.0, -3024.0):
        made = fresh(tmp_path / f"thinslice{number:g}")
        shutil.copytree(ROOT / "experiments", made.folder / "experiments")
        steps = "steps: 4, blocks: 1, channels: 4, validate_every: 2, patch: [16, 16]"
        made.edit(OVERLAY, "steps: 500", steps)
        made.edit(OVERLAY, "[nearest, linear, cubic, lanczos3, edsr_500]", "[linear, edsr_500]")
        scans = folder(tmp_path / f"scans{number:g}", number, step_px)
        made.run("--configfile", OVERLAY, "--config", f"root={scans}")
        tables.append([numbers_of(made, name) for name in ("patients", "benchmark")])
    assert tables[0] == tables[1]
    assert np.size(tables[0][0]) > 0
