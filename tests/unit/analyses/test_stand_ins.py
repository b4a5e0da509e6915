"""What stands in for a paper's own cell: a metric too, and what a stand-in lacks is said of it."""

import json
import math
from dataclasses import replace

from support.evidence import demo
from support.printed_paper import SETTINGS, STAND_INS, row_of
from thinslice.analyses import published
from thinslice.analyses._costs import NO_COST


def test_a_metric_may_stand_in():
    """Structures of a phantom for a patient's, say; not where the paper's own was measured."""
    others = {"metrics": {"ms_ssim": "rmse_hu", "psnr_db": "ssim"}}
    table = published.build(**SETTINGS)(demo())
    stood_in = published.build(**SETTINGS, stand_ins=others)(demo())
    row = row_of(stood_in, "TVSRN", "MS-SSIM")
    assert (row["metric"], row["stand_in"], row["unit"]) == ("ms_ssim", "rmse_hu for ms_ssim", "HU")
    assert math.isnan(row["difference"])
    assert row_of(stood_in, "EDSR", "PSNR").equals(row_of(table, "EDSR", "PSNR"))


def test_of_a_stand_in_that_was_run_the_reason_is_its_own():
    """Not that the paper's cell is in no grid."""
    tables = json.loads(json.dumps(SETTINGS["tables"]))
    tables["table_2"]["columns"][0]["metric"] = "gpu_memory_gib"
    evidence = demo()
    runs = evidence.runs.assign(gpu_memory_gib=math.nan)
    table = published.build(tables=tables, stand_ins=STAND_INS)(replace(evidence, runs=runs))
    assert row_of(table, "TVSRN", "hospital RMSE")["why"] == NO_COST["gpu_memory_gib"]


def test_of_a_metric_that_stands_in_the_reason_names_it():
    """The paper's own was scored in the place that stands in: to call it missing is false."""
    others = {**STAND_INS, "metrics": {"rmse_hu": "rmsse_hu", "ms_ssim": "rmsse_hu"}}
    table = published.build(**SETTINGS, stand_ins=others)(demo())
    why = row_of(table, "TVSRN", "hospital RMSE")["why"]
    assert why == "protocol v1 gave no rmsse_hu, which stands in for rmse_hu"
    why = row_of(table, "TVSRN", "MS-SSIM")["why"]
    assert why == "protocol v1 gave no ms_ssim, nor rmsse_hu, which stands in for ms_ssim"
