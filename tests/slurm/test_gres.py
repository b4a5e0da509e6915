"""Where a site refuses --gpus, --gres asks for the same."""

import json

import pytest

from support.checkout import WEIGHTS, twin

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(1800)]


def test_a_gpu_asked_for_by_gres_is_given(cluster, finished, tmp_path):
    checkout = twin(finished, tmp_path / "thinslice")
    checkout.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.ReLU()")
    cluster.run(checkout, "--config", "gpu_request=gres", "--", WEIGHTS)
    (number,) = cluster.jobs(checkout, "train")
    told = cluster.ask("scontrol", "show", "job", "--oneliner", number)
    assert "TresPerNode=gres:gpu:1" in told
    assert "TresPerJob" not in told
    record = checkout.folder / WEIGHTS.replace(".pt", ".record.json")
    assert json.loads(record.read_text())["machine"]["gpus"] in ("0", "1")
