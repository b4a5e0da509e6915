"""A job that reads cases apart refuses copies of a scan: the splits would share them."""

import numpy as np
import pytest

from thinslice.errors import Refused
from thinslice.io.nifti.write import write_nifti
from thinslice.jobs.convert import convert
from thinslice.jobs.fetch import fetch
from thinslice.volume import Grid, Volume


def test_a_copy_under_another_patient_ends_a_conversion_without_stores(tmp_path):
    hu = np.random.default_rng(0).normal(0, 100, (6, 8, 8)).astype(np.float32)
    for case in ("a", "b"):
        write_nifti(Volume(hu, Grid(6, 1.0, 1.0, (8, 8), (1.0, 1.0))), tmp_path / f"{case}.nii.gz")
    rows = ("case,patient,split,thin", "a,p,train,a.nii.gz", "b,q,test,b.nii.gz")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    card = {"name": "own", "module": "own_data", "settings": {"root": str(tmp_path)}}
    raw, stores = tmp_path / "raw.record.json", (tmp_path / "thin.zarr", tmp_path / "thick.zarr")
    fetch(card, tmp_path, raw)
    with pytest.raises(Refused, match=r"^case b: .* the same voxels as in case a of patient p"):
        convert(card, tmp_path, raw, *stores)
    assert not any(path.exists() for path in stores)
