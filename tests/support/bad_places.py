"""Faulty folders, links and names, each with a valid scan inside."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np

from support.bad_dicom import HU, PLACES, on, report, scout, series
from support.nifti_maker import saved, scan_ras
from support.reading_law import Case, as_nibabel, as_pydicom
from thinslice.io.dicom import pixels

OTHER = {"SeriesInstanceUID": "1.2.3", "SeriesNumber": 7, "SeriesDescription": "Lung"}


def two_series(folder, _):
    series(folder)
    series(folder / "lung", on(None, **OTHER), places=[p * 1.5 for p in PLACES])
    return folder


def spread(folder, _):
    """One series in two folders, as some archives export it."""
    made = series(folder)
    (folder / "more").mkdir()
    for file in sorted(made.iterdir())[:3]:
        file.rename(folder / "more" / file.name)
    return folder


def with_tracker(folder, _):
    """A scan and one image of a bolus tracker, with its own series number."""
    series(folder)
    series(folder / "b", on(None, **OTHER), hu=HU[:1], places=PLACES[:1])
    return folder


def lone_flipped(folder, _):
    """The last slice has another series UID and the same number: it is not left out."""
    series(folder, on(5, SeriesInstanceUID="1.2.3"))
    return folder


def looped(folder, _):
    made = series(folder)
    (made / "loop").symlink_to(folder)
    (folder / "self").symlink_to(".")
    return folder


def link_to_itself(folder, _):
    made = series(folder)
    (made / "x.dcm").symlink_to(made / "x.dcm")
    return made


def only_a_link_to_itself(folder, _):
    (folder / "scan").symlink_to(folder / "scan")
    return folder / "scan"


def dangling(folder, _):
    made = series(folder)
    (made / "x.dcm").symlink_to("nowhere")
    return made


def named(name: str | bytes) -> Callable:
    def make(folder, _):
        made = series(folder)
        out = Path(os.fsdecode(os.path.join(os.fsencode(folder), os.fsencode(name))))
        made.rename(out)
        file = min(out.iterdir())
        file.rename(out / out.name)
        return out

    return make


def nifti_named(name: bytes) -> Callable:
    def make(folder, _):
        path = folder / os.fsdecode(name)
        saved(folder / "x.nii", *scan_ras()).rename(path)
        return path

    return make


def forbidden(make: Callable) -> Callable:
    """A file that may not be opened; simulated, since root may open any."""

    def made(folder, monkeypatch):
        path = make(folder, monkeypatch)
        secret = max(path.iterdir()) if path.is_dir() else path
        opened = Path.open

        def refuse(self, *rest, **more):
            if self == secret:
                raise PermissionError(13, "Permission denied", str(self))
            return opened(self, *rest, **more)

        monkeypatch.setattr(Path, "open", refuse)
        return path

    return made


def unlistable(folder, monkeypatch):
    made = series(folder)

    def refuse(top, **more):
        raise PermissionError(13, "Permission denied", str(top))

    monkeypatch.setattr(os, "walk", refuse)
    return made


def vanishing(folder, monkeypatch):
    """A file that is deleted after its header was read and before its pixels are."""
    made = series(folder)
    read = pixels.stored_values

    def gone(name):
        name.unlink()
        return read(name)

    monkeypatch.setattr(pixels, "stored_values", gone)
    return made


def just_gone(folder, _):
    made = series(folder)
    shutil.rmtree(made)
    return made


def both_kinds(folder, _):
    """A series and its NIfTI conversion, in one folder."""
    saved(series(folder) / "x.nii.gz", *scan_ras())
    return folder


def of_the_second(path, found):
    as_pydicom(path / "lung" / "scan", found)


def of_all_folders(path, found):
    assert len(found.files) == len(HU)
    np.testing.assert_array_equal(found.volume.voxels, HU)


CASES = {
    "two series": Case(two_series, r"2 series: 7 \(.*Lung, 6 images\), 3 \(number 3, 6"),
    "two series, by number": Case(two_series, right=of_the_second, say={"series": 7}),
    "two series, by UID": Case(two_series, right=of_the_second, say={"series": "1.2.3"}),
    "two series, by a wrong number": Case(two_series, "no series '4'", say={"series": 4}),
    "a series and a NIfTI": Case(both_kinds, "2 scans: scan/x.nii.gz, 3"),
    "spread over folders": Case(spread, right=of_all_folders),
    "a tracker beside": Case(with_tracker, right=of_all_folders),
    "a slice of no series": Case(lone_flipped, "2 series"),
    "links in circles": Case(looped, right=of_all_folders),
    "a file that links to itself": Case(link_to_itself, "symbolic links"),
    "only that": Case(only_a_link_to_itself, "nothing there"),
    "a dangling link": Case(dangling, "No such file"),
    "a folder of folders": Case(lambda f, _: (f / "a/b").mkdir(parents=True) or f, "1 folders"),
    "a folder with a readme": Case(
        lambda f, _: (f / "readme.txt").write_text("scans") and f, "no DICOM files"
    ),
    "an empty folder": Case(lambda f, _: f, "no files"),
    "nothing": Case(lambda f, _: f / "nothing", "nothing there"),
    "a long name": Case(lambda f, _: f / ("n" * 300), "nothing there|too long"),
    "spaces": Case(named("a scan of mine"), right=as_pydicom),
    "a line break": Case(named("a\nscan"), right=as_pydicom),
    "umlauts": Case(named("Schädel Ü"), right=as_pydicom),
    "a name that is no UTF-8": Case(named(b"Sch\xe4del"), right=as_pydicom),
    "a NIfTI that is no UTF-8": Case(nifti_named(b"Sch\xe4del.nii"), right=as_nibabel),
    "a NIfTI with a line break": Case(nifti_named(b"a\nb.nii"), right=as_nibabel),
    "a missing one so named": Case(lambda f, _: f / os.fsdecode(b"\xe4\n.nii"), "nothing there"),
    "a slice forbidden": Case(forbidden(lambda f, _: series(f)), "Permission denied"),
    "a NIfTI forbidden": Case(forbidden(nifti_named(b"x.nii")), "Permission denied"),
    "a folder forbidden": Case(unlistable, "Permission denied"),
    "gone before": Case(just_gone, "nothing there"),
    "gone meanwhile": Case(vanishing, "No such file"),
    "a report alone": Case(lambda f, _: _alone(f, report), "no slices"),
    "a localizer alone": Case(lambda f, _: _alone(f, scout), "no slices: 1 localizer"),
    "a device": Case(lambda f, _: Path("/dev/null"), "nothing|found"),
}


def _alone(folder: Path, make: Callable[[Path], object]) -> Path:
    make(folder)
    return folder
