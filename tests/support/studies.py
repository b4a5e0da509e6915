"""A small study of readers: textured scans by two methods or more, and annotators who simulate."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from thinslice.io.nifti.write import write_nifti
from thinslice.study import documents, make
from thinslice.study.make import Plan, Study
from thinslice.study.sources import Source
from thinslice.volume import Grid, Volume

GRID = Grid(24, 1.5, 1.5, (30, 36), (1.0, 1.0))
SHARP, BLURRED, THIN = "sharpnet", "smoothing", "(reference)"


def scan(seed: int, blur: int = 0, grid: Grid = GRID) -> Volume:
    """A body with texture, averaged over ``blur`` slices to each side."""
    y, x = np.mgrid[: grid.shape[0], : grid.shape[1]]
    body = np.hypot(y / grid.shape[0] - 0.5, x / grid.shape[1] - 0.5) < 0.45
    voxels = np.where(body, 40.0, -1000.0) + np.random.default_rng(seed).normal(0, 30, grid.zyx)
    shifts = range(-blur, blur + 1)
    mean = sum(np.roll(voxels, shift, axis=0) for shift in shifts) / len(shifts)
    return Volume(np.asarray(np.rint(mean), np.float32), grid)


def source(name: str, blur: int, cases: int = 3) -> Source:
    """Scans in memory."""
    volumes = {f"case{k}": scan(k, blur) for k in range(cases)}
    return Source(name, Path(name), {case: lambda v=v: v for case, v in volumes.items()})


def plan(*, seed: int = 7, n: int = 12, methods: int = 2, **more) -> Plan:
    """Two methods or more, of which the first is sharper, and their reference."""
    names = [SHARP, BLURRED, *(f"other{k}" for k in range(methods - 2))]
    sources = [source(name, blur) for blur, name in enumerate(names[:methods], 1)]
    return Plan(sources, source(THIN, 0), seed, n, **more)


def folders(root: Path, cases: int = 2) -> dict[str, Path]:
    """The same as NIfTI files in a folder for each method, and one for the reference."""
    for name, blur in ((SHARP, 1), (BLURRED, 2), ("thin", 0)):
        (root / name).mkdir(parents=True)
        for k in range(cases):
            write_nifti(scan(k, blur), root / name / f"case{k}.nii.gz")
    return {name: root / name for name in (SHARP, BLURRED, "thin")}


def always(method: str) -> Callable[[dict], str]:
    """An annotator who sees which one it is."""
    return lambda pair: "left" if pair["left"] == method else "right"


def answers(
    study: Study, annotator: str, choose: Callable[[dict], str | None], group: str = "other"
) -> dict:
    """What the page saves once an annotator has gone through it."""
    sides = [choose(pair) for pair in study.key["pairs"]]
    return documents.signed(
        {
            "format": documents.ANSWERS,
            "study": study.page.study,
            "page": study.page.page,
            "annotator": annotator,
            "group": group,
            "answers": [side and [side, 1500] for side in sides],
        }
    )


def write(folder: Path, study: Study, contents: Sequence[dict]) -> tuple[Path, list[Path]]:
    """The key and a file for each annotator, in a folder."""
    make.write(study, folder / "page.html", folder / "key.json")
    paths = [folder / f"answers{k}.json" for k in range(len(contents))]
    for path, content in zip(paths, contents):
        path.write_text(json.dumps(content), encoding="utf-8")
    return folder / "key.json", paths
