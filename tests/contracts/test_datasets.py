"""The contract of every data set: splits, patients, grids and labels as all else relies on."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support import published_sets as sets
from support import scan_folders, small_archive
from support.cards import cards, module_of, with_settings
from thinslice import plugins
from thinslice.datasets import kits23, msd, msd_lung
from thinslice.interfaces import Case
from thinslice.io.nifti.write import write_nifti
from thinslice.volume import Grid, Volume, to_int16

CARDS = cards("datasets")
GRID = Grid(14, 1.25, 1.25, (5, 7), (0.7, 0.9), origin_mm=(-12.5, 8.25, 700.5))


def own_folder(folder: Path, modality: str) -> dict[str, Any]:
    """Three scans of three patients, one of them with a thick series of another phase."""
    thick = GRID.with_slices(n=3, increment_mm=5.0, thickness_mm=5.0, start_mm=2.1)
    rng = np.random.default_rng(0)
    for name, grid in {"a": GRID, "b": GRID, "c": GRID, "c5": thick}.items():
        voxels = rng.integers(-1024, 1200, grid.zyx).astype(np.float32)
        write_nifti(Volume(voxels, grid, modality), folder / f"{name}.nii.gz")
    (folder / "manifest.csv").write_text(
        "case,patient,split,modality,thin,thick\n"
        f"a,ann,train,{modality},a.nii.gz,\nb,bob,val,{modality},b.nii.gz,\n"
        f"c,cy,test,{modality},c.nii.gz,c5.nii.gz\n"
    )
    return {"root": str(folder)}


def small_phantom(folder: Path, modality: str) -> dict[str, Any]:
    patients = {"train": 2, "val": 1, "test": 1}
    return {"patients": patients, "shape": [20, 28], "pixel_mm": [6.4, 6.4], "length_mm": 32.0}


def tiny_msd(folder: Path, modality: str) -> dict[str, Any]:
    settings = {"folder": str(folder), "tasks": ["Task07_Pancreas"], "limit": 1}
    sets.msd_folder(folder, {row.case: row.task for row in msd.build(**settings).rows})
    return settings


def tiny_kits(folder: Path, modality: str) -> dict[str, Any]:
    settings = {"folder": str(folder), "limit": 1}
    cases = [row.case for row in kits23.build(**settings).rows]
    sets.kits_folder(folder, cases)
    sets.kits_labels(folder, cases)
    return settings


def tiny_lung(folder: Path, modality: str) -> dict[str, Any]:
    cases = (*msd_lung.TRAINED_ON, *msd_lung.TESTED_ON)
    sets.msd_folder(folder, dict.fromkeys(cases, msd_lung.TASK))
    return {"folder": str(folder)}


def tiny_ixi(folder: Path, modality: str) -> dict[str, Any]:
    sets.ixi_folder(folder, 4)
    return {"folder": str(folder), "subjects": 4, "test": 1, "val": 1}


def few_patients(folder: Path, modality: str) -> dict[str, Any]:
    patients = {"train": 1, "val": 0, "test": 1}
    return {"patients": patients, "shape": [24, 32], "length_mm": 24.0}


def tiny_rplhr(folder: Path, modality: str) -> dict[str, Any]:
    return {"cases_per_split": scan_folders.rplhr_folder(folder / "raw")}


def tiny_l291(folder: Path, modality: str) -> dict[str, Any]:
    scan_folders.l291_folder(folder / "raw")
    return {"slices": 5}


def tiny_namic(folder: Path, modality: str) -> dict[str, Any]:
    scan_folders.namic_folder(folder / "raw")
    return {"train": 2, "val": 1, "test": 1}


def splits_of(card: Mapping[str, Any]) -> set[str]:
    """All three, but where there is no truth to learn from, or nothing is chosen on ``val``."""
    if not card.get("truth", True):
        return {"test"}
    known_truth = module_of(card) in ("phantom_fda", "qiba_liver")
    if known_truth or card.get("settings", {}).get("test_all"):
        return {"test"}
    without_val = ("msd_lung", "varied_phantom")
    return {"train", "test"} if module_of(card) in without_val else {"train", "val", "test"}


def tiny_idc(folder: Path, modality: str) -> dict[str, Any]:
    made = small_archive.archive(folder / "series")
    made.write_raw(folder / "raw")
    every = dict.fromkeys(("take", "makers", "ratios"))
    return {**every, "manifest": made.write_manifest(folder / "pairs.csv")}


def tiny_phantoms(folder: Path, modality: str) -> dict[str, Any]:
    made = small_archive.archive(folder / "series", ("layout",))
    made.write_raw(folder / "raw")
    manifest = small_archive.phantom_manifest(made, folder / "phantom.csv")
    return {"manifest": manifest, "licences": ["CC BY-NC 3.0"]}


TINY: dict[str, Callable[[Path, str], dict[str, Any]]] = {  # for each module, settings made fast
    "idc_pairs": tiny_idc,
    "ixi": tiny_ixi,
    "kits23": tiny_kits,
    "ldct_l291": tiny_l291,
    "msd": tiny_msd,
    "msd_lung": tiny_lung,
    "namic": tiny_namic,
    "own_data": own_folder,
    "phantom": small_phantom,
    "phantom_fda": tiny_phantoms,
    "qiba_liver": tiny_phantoms,
    "rplhr_ct": tiny_rplhr,
    "varied_phantom": few_patients,
}
SAID: dict[str, dict[str, Any]] = {  # what any config must say of a set
    "idc_pairs": {"acquired": True},
    "ixi": {"modality": "MR"},
    "ldct_l291": {"acquired": True, "truth": False},
    "namic": {"modality": "MR"},
    "phantom_fda": {"acquired": True},
    "qiba_liver": {"acquired": True},
    "rplhr_ct": {"acquired": True},
}


class Opened:
    """One data set with its cases read once."""

    def __init__(self, name: str, folder: Path):
        self.folder = folder
        card = {**SAID.get(module_of(CARDS[name]), {}), **CARDS[name]}
        small = TINY[module_of(card)](folder, card.get("modality", "CT"))
        self.card = with_settings(card, **small)
        self.cases = self.read()

    def read(self) -> list[Case]:
        self.dataset = plugins.build("datasets", self.card)
        self.dataset.fetch(self.folder / "raw")
        return list(self.dataset.cases(self.folder / "raw"))


@pytest.fixture(scope="module", params=CARDS)
def opened(request, tmp_path_factory) -> Opened:
    return Opened(request.param, tmp_path_factory.mktemp(request.param))


def test_cases_have_names_and_every_split(opened):
    names = [case.name for case in opened.cases]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-z0-9_-]+", name) for name in names)
    assert {case.split for case in opened.cases} == splits_of(opened.card)


def test_a_case_has_thin_slices_or_says_which_are_asked_for(opened):
    for case in opened.cases:
        assert (case.thin is not None) == opened.card.get("truth", True)
        assert (case.target is not None) == (case.thin is None)
        assert case.thin is not None or case.thick is not None


def test_no_patient_is_in_two_splits(opened):
    splits: dict[str, set[str]] = {}
    for case in opened.cases:
        assert case.patient
        splits.setdefault(case.patient, set()).add(case.split)
    assert all(len(found) == 1 for found in splits.values())


def test_voxels_are_finite_and_fit_the_store(opened):
    for volume in volumes(opened.cases):
        assert volume.modality == opened.card.get("modality", "CT")
        assert np.isfinite(volume.voxels).all()
        assert np.ptp(volume.voxels) > 0
        if volume.modality == "CT":
            assert to_int16(volume.voxels).dtype == np.int16


def test_thick_slices_lie_in_the_frame_asked_for_and_within_the_scan(opened):
    paired = [case for case in opened.cases if case.thick is not None]
    assert bool(paired) == opened.card.get("acquired", bool(paired))
    for case in paired:
        thin = case.target if case.thin is None else case.thin.grid
        thick = case.thick.grid
        assert (thick.shape, thick.pixel_mm) == (thin.shape, thin.pixel_mm)
        assert (thick.origin_mm, thick.direction) == (thin.origin_mm, thin.direction)
        assert thick.thickness_mm > thin.thickness_mm
        assert thick.increment_mm > thin.increment_mm
        half = thin.increment_mm / 2
        assert thick.centres_mm()[0] >= thin.centres_mm()[0] - half
        assert thick.centres_mm()[-1] <= thin.centres_mm()[-1] + half


def test_read_again_it_is_the_same_bits_in_the_same_order(opened):
    again = opened.read()
    assert [case[:3] for case in again] == [case[:3] for case in opened.cases]
    for one, other in zip(volumes(opened.cases), volumes(again)):
        assert one.grid == other.grid
        np.testing.assert_array_equal(one.voxels, other.voxels)


def test_the_label_sim_is_the_truth(opened):
    assert isinstance(opened.dataset.simulated, bool)
    assert opened.card.get("simulated", False) == opened.dataset.simulated


def test_its_files_are_there_and_its_stories_are_json(opened):
    files = list(opened.dataset.files(opened.folder / "raw"))
    assert all(file.is_file() for file in files)
    assert bool(files) != opened.dataset.simulated
    for case in opened.cases:
        assert case.source
        assert json.loads(json.dumps(case.source)) == case.source


def volumes(cases: list[Case]) -> list[Volume]:
    return [volume for case in cases for volume in (case.thin, case.thick) if volume is not None]
