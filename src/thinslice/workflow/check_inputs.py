"""Refuse files and packages that a config's jobs need and that are not there. Standard library."""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

from thinslice.workflow import plugin_source
from thinslice.workflow.cells import cells

LISTS = {  # files that a data set's settings name, by its module; relative to where a run starts
    "phantom_fda": ("nodules", "manifest"),
    "qiba_liver": ("nodules", "manifest"),
    "idc_pairs": ("manifest",),
}
ENGINE = "openvino"
NNUNET = "thinslice.segmentation.nnunet"  # where its command and its files are named
PACKAGE = "nnunetv2"
SIMULATED = ("phantom", "varied_phantom")  # data sets whose settings count patients


def check_lists(config: Mapping[str, Any]) -> None:
    """Refuse a list of a data set of the grid that is not there; ValueError."""
    for name in config["grid"]["datasets"]:
        entry = config["datasets"][name]
        settings = entry.get("settings", {})
        for setting in LISTS.get(entry.get("module", name), ()):
            given = settings.get(setting)
            if given is not None and not Path(given).expanduser().is_file():
                raise ValueError(
                    f"config: datasets {name}: {setting}: found no file {given}; expected a CSV, "
                    f"relative to {Path.cwd()}; correct the name, or leave {setting} out"
                )


def check_engines(config: Mapping[str, Any]) -> None:
    """Refuse a method of the grid whose engine is not installed; ValueError."""
    for name in config["grid"]["methods"]:
        engine = config["methods"][name].get("settings", {}).get("engine")
        if engine == ENGINE and find_spec(ENGINE) is None:
            raise ValueError(
                f"config: methods {name}: engine: {ENGINE} is not installed; "
                f"pip install 'thinslice[{ENGINE}]', or use torch"
            )


def check_nnunet(config: Mapping[str, Any]) -> None:
    """Refuse a trained nnU-Net that is not there, or one without nnU-Net installed; ValueError."""
    folder = ((config.get("segmentation") or {}).get("settings") or {}).get("nnunet")
    if folder is None:
        return
    where = "config: segmentation: settings: nnunet: "
    trained = f"fold_*/{plugin_source.constant(NNUNET, 'CHECKPOINT')}"
    for path, there in (
        (folder, Path(folder).is_dir()),
        (f"{folder}/dataset.json", Path(folder, "dataset.json").is_file()),
        (f"{folder}/plans.json", Path(folder, "plans.json").is_file()),
        (f"{folder}/{trained}", any(Path(folder).glob(trained))),
    ):
        if not there:
            raise ValueError(
                f"{where}found no {path}; expected the folder of a trained nnU-Net, relative to "
                f"{Path.cwd()}; correct the name, or leave nnunet out"
            )
    command = str(plugin_source.constant(NNUNET, "COMMAND"))
    if which(command) is None and find_spec(PACKAGE) is None:
        raise ValueError(
            f"{where}{PACKAGE} is not installed; install it where thinslice is, or leave nnunet out"
        )


def check_patients(config: Mapping[str, Any]) -> None:
    """Refuse cells whose simulated data set makes no patient to test or learn on; ValueError.

    The grid is planned by ``cases``, the patients are made by ``patients`` of the settings.
    """
    planned = cells(config)
    needed = {(cell.dataset, "test") for cell in planned}
    needed |= {(cell.source.dataset, "train") for cell in planned if cell.source}
    for name, split in sorted(needed):
        entry = config["datasets"][name]
        settings = entry.get("settings", {})
        if entry.get("module", name) not in SIMULATED or settings.get("folder"):
            continue
        patients = settings.get("patients")
        if patients is not None and not patients.get(split, 0):
            raise ValueError(
                f"config: datasets {name}: found no {split} patients, and cells of the grid that "
                f"need some; add some to its settings' patients, or say cases: {{{split}: 0}}"
            )
