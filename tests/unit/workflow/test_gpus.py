"""GPUs are reserved by torch jobs alone, where there can be one, by the resource the site takes."""

import pytest

from thinslice.workflow.gpus import GpuRequests

METHODS = {"linear": {"env": "core"}, "edsr": {"env": "torch"}, "two": {"env": "torch", "gpus": 2}}


def requests(device="auto", gpu_request="gpus", *, cluster=False, here=False):
    config = {"device": device, "gpu_request": gpu_request, "methods": METHODS}
    return GpuRequests(config, on_cluster=lambda: cluster, here=lambda: here)


@pytest.mark.parametrize(
    ("device", "cluster", "here", "wanted"),
    [
        ("auto", False, False, False),
        ("auto", True, False, True),
        ("auto", False, True, True),
        ("cpu", True, True, False),
        ("cuda", False, False, True),
        ("cuda:1", False, False, True),
    ],
)
def test_the_device_decides_or_whether_there_can_be_a_gpu(device, cluster, here, wanted):
    assert requests(device, cluster=cluster, here=here).wanted() == wanted


def test_interpolation_takes_none_and_a_training_as_many_as_configured():
    gpus = requests("cuda")
    assert [gpus.of_method(name) for name in METHODS] == [0, 1, 1]
    assert [gpus.of_training(name) for name in METHODS] == [0, 1, 2]


@pytest.mark.parametrize("cluster", [False, True])
@pytest.mark.parametrize("request_by", ["gpus", "gres", "gres:a100"])
def test_one_of_the_two_resources_is_set_and_gres_only_on_a_cluster(cluster, request_by):
    gpus = requests("cuda", request_by, cluster=cluster)
    if cluster and request_by != "gpus":
        kind = request_by.removeprefix("gres")
        assert (gpus.by_gpus(2), gpus.by_gres(2)) == (0, f"gpu{kind}:2")
    else:
        assert (gpus.by_gpus(2), gpus.by_gres(2)) == (2, "")
    assert (gpus.by_gpus(0), gpus.by_gres(0)) == (0, "")
