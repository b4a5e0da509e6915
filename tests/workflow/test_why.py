"""``thinslice why`` says of a real run what Snakemake would do, and why."""

import pytest

from support.checkout import CONFIG, Checkout, twin

REPORT = "results/report.html"
NETWORK = ("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.GELU()")


@pytest.fixture
def edited(finished, tmp_path) -> Checkout:
    return twin(finished, tmp_path / "thinslice")


def why(checkout: Checkout, result: str = REPORT):
    return checkout.thinslice("why", result, "--configfile", CONFIG)


def test_a_finished_run_is_up_to_date(finished):
    done = why(finished)
    assert (done.returncode, done.stderr) == (0, "")
    assert "up to date" in done.stdout


@pytest.mark.parametrize(
    ("edit", "named"),
    [
        (NETWORK, "code: thinslice.nets.edsr changed"),
        (
            ("config.yaml", "box, thickness_mm: 5.0,", "box, thickness_mm: 4.0,"),
            "settings.thickness_mm was 5.0",
        ),
        (("workflow_scripts/train.py", "default=1,", "default=2,"), "code: train.py changed"),
        (("tests/tiny.yaml", "[linear, edsr_small]", "[linear]"), "is no longer to be gathered"),
        (("tests/tiny.yaml", "[linear, edsr_small]", "[linear, nearest]"), "is to be gathered now"),
        (("config.yaml", "simulated: true", "simulated: false"), "sim was 'sim', is ''"),
        (
            ("config.yaml", "  tradeoff:    {kind: tradeoff,    table: efficiency}\n", ""),
            "results/figures/tradeoff.record.json is no longer to be gathered",
        ),
        (
            ("tests/tiny.yaml", "grid:\n", "patches: [{plane: axial}]\ngrid:\n"),
            "results/figures/patches_phantom.record.json is to be gathered now",
        ),
    ],
)
def test_it_names_the_change_where_snakemake_plans_jobs(edited, edit, named):
    edited.edit(*edit)
    done = why(edited)
    assert edited.planned()
    assert done.returncode == 1, done.stdout + done.stderr
    assert named in done.stdout


def test_it_names_none_where_snakemake_plans_nothing(edited):
    edited.edit("src/thinslice/jobs/join_shards.py", "SLICES = 64", "SLICES = 32")  # no shards
    edited.edit("src/thinslice/fs/locks.py", "waiting", "standing by")
    edited.edit("config.yaml", "device: auto", "device: cpu")
    done = why(edited)
    assert edited.planned() == set()
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_change_is_told_where_it_matters_and_not_beside(edited):
    edited.edit(*NETWORK)
    cell = "results/scores/phantom/box5/{}.csv"
    assert why(edited, cell.format("edsr_small/phantom--box5")).returncode == 1
    assert why(edited, cell.format("linear/untrained")).returncode == 0
