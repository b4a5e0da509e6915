"""JSON statement of a restored scan: its input, its method, and how far to trust it.

``restored.schema.json`` beside this module is its schema.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice import __version__
from thinslice.fs.hashing import sha256_by_name
from thinslice.io.scan import LoadedScan
from thinslice.provenance.environment import peak_memory_gib, versions
from thinslice.restoration.methods import MethodChoice
from thinslice.restoration.notices import RESTORED as NOTICE
from thinslice.restoration.restore import Plan, Result
from thinslice.volume import Volume

FORMAT = 2  # 2: a verdict, the step, values outside the range; slices counted from 1
SCHEMA = Path(__file__).with_name("restored.schema.json")


def of(restored: Result, output: Path) -> dict[str, Any]:
    """The statement of a restored scan that was written at ``output``; plain JSON."""
    planned, run = restored.planned, restored.run
    beforehand = of_plan(planned)
    content = {
        **beforehand,
        "output": output_of(output, restored.volume),
        "method": {
            **beforehand["method"],
            "refined": restored.refined.to_json() if restored.refined else None,
            "precision": restored.precision,
            "differences_from_fp32": restored.differences,
        },
        "run": {
            "device": run.device,
            "threads": run.threads,
            "max_memory_gib": run.max_memory_gib,
            "started": restored.started.isoformat(timespec="seconds"),
            "wall_s": round(restored.wall_s, 3),
            "peak_memory_gib": peak_memory_gib(),
        },
        "versions": {**versions(), "thinslice": __version__},
        "warnings": restored.warnings,
        "trust": restored.trust.to_json(),
    }
    return json.loads(json.dumps(content, allow_nan=False))


def of_plan(planned: Plan) -> dict[str, Any]:
    """What is known before a scan is restored: plain JSON, for ``--dry-run --json``."""
    content = {
        "format": FORMAT,
        "notice": NOTICE,
        "input": {
            **input_of(planned.scan, planned.thick, planned.inputs),
            "as_acquired": planned.acquired.to_json(planned.grid) if planned.acquired else None,
        },
        "grids": {"input": planned.thick.grid.to_json(), "output": planned.grid.to_json()},
        "method": _method(planned.chosen),
        "warnings": planned.warnings,
    }
    return json.loads(json.dumps(content, allow_nan=False))


def combined(files: Mapping[str, str]) -> str:
    """One hash of the contents of many files, whatever their names; of one file its own."""
    if len(files) == 1:
        return next(iter(files.values()))
    return hashlib.sha256("\n".join(sorted(files.values())).encode()).hexdigest()


def input_of(scan: LoadedScan | None, volume: Volume, inputs: Mapping[str, str]) -> dict[str, Any]:
    """What was read: its place, what its files state, its padding, and hashes (``inputs``)."""
    return {
        "path": os.path.commonpath([f.absolute() for f in scan.files]) if scan else None,
        "modality": volume.modality,
        "source": dict(scan.source) if scan else None,
        "padding": _padding(volume),
        **_hashed(inputs),
    }


def output_of(output: Path, volume: Volume) -> dict[str, Any]:
    """What was written at ``output``: its name, its padding and its hashes."""
    hashed = _hashed(sha256_by_name(output))
    return {"name": output.name, "padding": _padding(volume), **hashed}


def _padding(volume: Volume) -> list[dict[str, Any]]:
    """Each number that stands for no measurement, and its voxels."""
    counts = volume.padding.counts() if volume.padding else {}
    return [{"value": value, "voxels": n} for value, n in counts.items()]


def _hashed(files: Mapping[str, str]) -> dict[str, Any]:
    return {"sha256": combined(files), "files": dict(files)}


def _method(chosen: MethodChoice) -> dict[str, Any]:
    weights = None
    if chosen.weights is not None:
        weights = {
            "name": chosen.weights.name,
            "sha256": chosen.weights_sha256,
            "fitted_on": dict(chosen.fitted_on or {}),
        }
    return {
        "card": dict(chosen.card),
        "title": chosen.about.title,
        "paper": chosen.about.paper,
        "fidelity": chosen.fidelity,
        "fit": chosen.fit,
        "parameters": chosen.method.parameters(),
        "weights": weights,
    }
