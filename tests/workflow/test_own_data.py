"""The whole workflow on a person's own scans: made ones with and without pairs, and real ones."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest

from support.checkout import Checkout, fresh
from support.paths import ROOT
from thinslice.io.nifti.write import write_nifti
from thinslice.volume import Grid, Volume

pytestmark = pytest.mark.slow
DATA = ROOT.parent / "shared" / "data" / "thin"
RICORD = "chest_ricord1012_ge_1.25mm_NC.nii.gz"
RIDER = "chest_riderpilot0117_ge_1.25x0.8mm.nii.gz"
LIDC = "chest_lidc0314_philips_1.0mm.nii.gz"
GRID = Grid(40, 1.25, 1.25, (32, 36), (2.0, 2.0))
OVERLAY = "experiments/own_data.yaml"


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    made = fresh(tmp_path / "thinslice")
    shutil.copytree(ROOT / "experiments", made.folder / "experiments")
    return made


def run(checkout: Checkout, scans: Path, overlay: str = OVERLAY) -> None:
    """As docs/how-to/own-data.md says; the last --configfile counts."""
    checkout.run("--configfile", overlay, "--config", f"root={scans}")


def run_briefly(checkout: Checkout, scans: Path, overlay: str = OVERLAY) -> None:
    """With the smallest network and four steps of training."""
    checkout.edit(overlay, "steps: 500", "steps: 4, blocks: 1, channels: 4, validate_every: 2")
    checkout.edit(overlay, "[nearest, linear, cubic, lanczos3, edsr_500]", "[linear, edsr_500]")
    run(checkout, scans, overlay)
    assert (checkout.folder / "results/report.html").stat().st_size > 10_000


def rmse(checkout: Checkout, unit: str = "hu") -> dict[tuple[str, str, str], float]:
    """Main score by (patient, degradation, method)."""
    main = ("v1", f"rmse_{unit}")
    with (checkout.folder / "results/tables/patients.csv").open() as lines:
        rows = [row for row in csv.DictReader(lines) if (row["protocol"], row["metric"]) == main]
    return {(r["patient"], r["degradation"], r["method"]): float(r["value"]) for r in rows}


def scan(grid: Grid, seed: int) -> Volume:
    """Noisy tissue in air, waving along z."""
    y, x = np.mgrid[: grid.shape[0], : grid.shape[1]]
    body = np.hypot(y - 16, x - 18) < 13
    wave = 90 * np.sin(grid.centres_mm() / 3)[:, None, None]
    noise = np.random.default_rng(seed).normal(0, 20, grid.zyx)
    return Volume(np.where(body, 30 + wave, -1000).astype(np.float32) + noise.astype("f4"), grid)


def folder(root: Path, *, paired: bool, modality: str = "CT") -> Path:
    """Three patients, each with scans of an increment of their own; maybe a thick test series."""
    root.mkdir()
    increments_mm = {"train": 1.25, "val": 0.8, "test": 1.0}
    lines = ["case,patient,split,thin,thick,modality"]
    for seed, (split, mm) in enumerate(increments_mm.items()):
        thin = GRID.with_slices(n=round(50 / mm), increment_mm=mm, thickness_mm=mm, start_mm=0.0)
        write_nifti(scan(thin, seed), root / f"{split}.nii.gz")
        lines.append(f"{split}1,{split},{split},{split}.nii.gz,,{modality}")
    if paired:
        thick = GRID.with_slices(n=9, increment_mm=5.0, thickness_mm=5.0, start_mm=2.3)
        write_nifti(scan(thick, 2), root / "thick.nii.gz")
        lines[-1] = f"test1,test,test,test.nii.gz,thick.nii.gz,{modality}"
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.mark.parametrize("paired", [True, False])
def test_scans_with_and_without_a_thick_series_reach_the_report(checkout, tmp_path, paired):
    run_briefly(checkout, folder(tmp_path / "scans", paired=paired))
    found = rmse(checkout)
    expected = {("test", d, m) for d in ("acquired", "bell5") for m in ("linear", "edsr_500")}
    assert set(found) == {cell for cell in expected if paired or cell[1] == "bell5"}
    audited = checkout.thinslice("audit", "results/tables/benchmark.csv")
    assert audited.returncode == 0, audited.stdout + audited.stderr


def test_mr_scans_reach_the_report_in_a_unit_of_their_own(checkout, tmp_path):
    scans = folder(tmp_path / "scans", paired=True, modality="MR")
    run_briefly(checkout, scans, "experiments/own_mr.yaml")
    assert len(rmse(checkout, "au")) == 4
    assert not rmse(checkout, "hu")


@pytest.mark.skipif(not DATA.is_dir(), reason="no real scans beside the repository")
def test_trained_on_two_real_chests_it_beats_cubic_on_a_third_by_a_tenth(checkout, tmp_path):
    """Increments of 1.25, 0.8 and 1 mm, makers and kernels of their own; 500 steps."""
    (tmp_path / "manifest.csv").write_text(
        "case,patient,split,thin,thin_thickness_mm\n"
        f"ricord,ricord,train,{DATA / RICORD},1.25\n"
        f"rider,rider,train,{DATA / RIDER},1.25\n"
        f"lidc,lidc,test,{DATA / LIDC},1.0\n"
    )
    run(checkout, tmp_path)
    found = {method: value for (_, _, method), value in rmse(checkout).items()}
    assert found["edsr_500"] < 0.9 * found["cubic"]
    assert found["cubic"] < found["linear"] < found["nearest"]
