"""Helpers for ``thinslice restore``: scans, tiny methods, and kills at a rename."""

import json
import os
import signal
from pathlib import Path

import jsonschema

from support import dicom_maker as maker
from support.patient import SCAN, patient
from thinslice import plugins
from thinslice.cli import main
from thinslice.families import self_supervised
from thinslice.interfaces import Pair, Run
from thinslice.operators.grids import thin_grid
from thinslice.restoration import methods, output, statement
from thinslice.training.fitted_on import of_scan, of_scans
from thinslice.training.plan import Plan

SCHEMA = json.loads(statement.SCHEMA.read_text())
TINY = {"blocks": 1, "channels": 4, "patch": [16, 12], "batch": 2, "steps": 2, "warmup": 0}
CARD = {"name": "tiny", "module": "edsr_planes", "settings": TINY}
ALONE = {"depth": 3, "width": 1, "steps": 8, "crop": 8, "batch": 2}
PRESETS = {"sr4zct_small": {"name": "sr4zct_small", "module": "sr4zct", "settings": ALONE}}
CPU = ["--device", "cpu", "--threads", "1"]
ENDS = ("", output.STATEMENT, output.PREVIEW)


def dicom(folder, thickness_mm=5.0, increment_mm=2.5, onward=1):
    """Write seven overlapping slices of distinct HU."""
    positions = maker.positions_of(7, onward * increment_mm)
    hu = maker.scan_hu(7, 12, 14)
    return maker.series(folder, hu, positions, thickness_mm=thickness_mm)


def restored(capsys, *words):
    """Exit status, standard output and standard error of ``thinslice restore``."""
    capsys.readouterr()
    status = main(["restore", *map(str, words)])
    return status, *capsys.readouterr()


def statement_of(out):
    """The statement of a restored scan, checked against its schema."""
    statement_json = json.loads(out.with_name(out.name + ".thinslice.json").read_text())
    jsonschema.validate(statement_json, SCHEMA)
    return statement_json


def fitted_weights(folder: Path) -> Path:
    """Weights of a tiny network, fitted for two steps on a scan of 5 mm slices."""
    thin = patient(thin_grid(SCAN, 1.0, 1.0))
    pairs = [Pair("a", patient(SCAN, 12.0), thin)]
    method = plugins.build("methods", CARD)
    method.fit(pairs, [], work=folder / "work", run=Run(device="cpu", progress=False))
    fitted_on = of_scans([of_scan(pairs[0].thick, "B30f")])
    about = {"card": CARD, "fitted_on": fitted_on, "train": ["a"], "val": []}
    method.save(folder / "tiny.pt", about)
    return folder / "tiny.pt"


def often(patch):
    """Patch in a tiny network that learns from the scan, and a checkpoint after every step."""
    patch(methods, "DEFAULT", methods.ALONE)
    patch(methods, "presets", lambda: PRESETS)
    patch(self_supervised, "Plan", lambda **how: Plan(**how, checkpoint_every_s=0))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def at_rename(nth, out, happens):
    """``os.rename`` and ``os.replace`` that call ``happens`` at the nth in OUT's folder."""
    left = [nth]

    def watched(move):
        def moved(here, there):
            left[0] -= out.parent in (Path(here).parent, Path(there).parent)
            if left[0] == 0:
                left[0] = -1
                happens()
            return move(here, there)

        return moved

    return watched(os.rename), watched(os.replace)


def killed_at(nth, out, work):
    """Run ``work`` in a child that dies at its nth rename in OUT's folder; its exit status."""
    child = os.fork()
    if child == 0:
        die = lambda: os.kill(os.getpid(), signal.SIGKILL)  # noqa: E731
        os.rename, os.replace = at_rename(nth, out, die)
        try:
            work()
            os._exit(0)
        finally:
            os._exit(99)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
