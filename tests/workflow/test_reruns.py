"""Only what changed is made again: the job lists of a dry run after each kind of edit."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from support.checkout import Checkout, twin
from support.paths import ROOT
from thinslice.provenance.code_digest import PLUMBING

EDSR = {
    "results/weights/edsr_small/phantom--acquired.pt",
    "results/weights/edsr_small/phantom--box5.pt",
    *(
        f"results/{stage}/phantom/{tested}/edsr_small/phantom--{fitted}.{ending}"
        for stage, ending in (("restored", "zarr"), ("scores", "csv"))
        for tested in ("acquired", "box5")
        for fitted in ("acquired", "box5")
    ),
}
DOWNSTREAM = ("results/evidence/", "results/tables/", "results/figures/", "results/report.html")


@pytest.fixture
def edited(finished, tmp_path) -> Checkout:
    return twin(finished, tmp_path / "thinslice")


def upstream(planned: set[str]) -> set[str]:
    """Planned outputs that are not tables, figures or what they are gathered from."""
    return {path for path in planned if not path.startswith(DOWNSTREAM)}


def test_a_finished_run_has_nothing_to_do(finished):
    assert finished.planned() == set()
    assert (finished.folder / "results/report.html").stat().st_size > 1000


def test_changing_a_network_makes_its_method_again_and_nothing_else(edited):
    edited.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.GELU()")
    planned = edited.planned()
    assert upstream(planned) == EDSR
    assert "results/tables/benchmark.csv" in planned


def other_layout_of_code(edited):
    network = edited.folder / "src/thinslice/nets/edsr.py"
    text = network.read_text()
    network.write_text("# a remark\n" + re.sub(r"\n\n\n", "\n\n\n\n", text))
    for script in (edited.folder / "workflow_scripts").glob("*.py"):
        script.write_text(script.read_text().replace("p.add_argument(", "p.add_argument(  ", 1))
    (edited.folder / "README.md").write_text("# other words\n")


def other_order_of_config(edited):
    config = edited.folder / "config.yaml"
    blocks = re.split(r"\n(?=[a-z_]+:)", config.read_text())
    config.write_text("\n".join(reversed(blocks)) + "\n")


def other_scheduling(edited):
    edited.edit("config.yaml", "device: auto", "device: cpu")
    edited.edit("config.yaml", "restore_shards: 1", "restore_shards: 3")


def other_plumbing(edited):
    """A new log line, another lock, code that only audits or cleans: none computes a number."""
    package = edited.folder / "src/thinslice"
    paths = [package / f"{room}.py" for room in PLUMBING if (package / f"{room}.py").exists()]
    paths += [path for room in (*PLUMBING, "audit") for path in (package / room).rglob("*.py")]
    for path in [*paths, package / "jobs/clean.py"]:
        path.write_text(path.read_text() + "\nANOTHER = 1\n")


def other_messages(edited):
    reworded = 0
    for path in (edited.folder / "src/thinslice").rglob("*.py"):
        text, n = re.subn(r'(raise \w+\(\s*f?")', r"\1In other words: ", path.read_text())
        path.write_text(text)
        reworded += n
    assert reworded > 100
    line = "        LOG."
    edited.edit("src/thinslice/training/loop.py", line, f'        LOG.info("new")\n{line}')
    edited.edit("src/thinslice/jobs/train.py", 'print(f"', 'print(f"Training ')
    edited.edit("workflow_scripts/train.py", 'help="weights file"', 'help="the weights"')


SAME = [
    other_layout_of_code, other_order_of_config, other_scheduling, other_plumbing, other_messages,
]  # fmt: skip


def test_what_computes_the_same_makes_nothing_again(finished, edited, tmp_path):
    """All edits at once; if something is to do, each alone says which of them it is.

    No checkpoint is lost either: their folder is named by the digest of the script.
    """
    for edit in SAME:
        edit(edited)
    planned = edited.planned()
    if planned:
        for edit in SAME:
            alone = twin(finished, tmp_path / edit.__name__)
            edit(alone)
            assert alone.planned() == set(), edit.__name__
    assert planned == set()
    assert checkpoints_rest_on(edited) == checkpoints_rest_on(None)


def checkpoints_rest_on(checkout: Checkout | None) -> str:
    """The digest in the name of a training's folder, in a copy or in this checkout."""
    code = "from thinslice.provenance.job import script_digest; print(script_digest('train.py'))"
    source = (checkout.folder if checkout else ROOT) / "src"
    env = {**os.environ, "PYTHONPATH": str(source)}
    run = [sys.executable, "-c", code]
    return subprocess.run(run, env=env, capture_output=True, text=True, check=True).stdout


def test_touching_every_file_makes_nothing_again(edited):
    for path in sorted(edited.folder.rglob("*")):
        if ".snakemake" not in path.relative_to(edited.folder).parts:
            os.utime(path)
    assert edited.planned() == set()


def test_a_changed_setting_of_one_degradation_makes_only_its_cells_again(edited):
    edited.edit("config.yaml", "{shape: box, thickness_mm: 5", "{shape: box, thickness_mm: 4")
    made = upstream(edited.planned())
    assert "results/thick/phantom/box5.zarr" in made
    assert not any("acquired/linear" in path or path.startswith("results/thin") for path in made)


def test_another_protocol_setting_scores_again_but_restores_nothing(edited):
    edited.edit("src/thinslice/protocols/tvsrn.py", "-1024.0", "-1000.0")
    made = upstream(edited.planned())
    assert made
    assert all(path.startswith("results/scores/") for path in made)


def test_a_figure_whose_drawing_changed_is_drawn_again_alone(edited):
    edited.edit("src/thinslice/report/figures/slice_pairs.py", "linewidth=0.8", "linewidth=0.9")
    assert edited.planned() == {"results/figures/slice_pairs.png", "results/report.html"}


@pytest.mark.parametrize(
    ("methods", "made"),
    [("[linear, edsr_small, nearest]", {"nearest"}), ("[edsr_small]", set())],
)
def test_a_method_added_or_removed_makes_no_other_method_again(edited, methods, made):
    edited.edit("tests/tiny.yaml", "[linear, edsr_small]", methods)
    planned = edited.planned()
    assert {path.split("/")[4] for path in upstream(planned)} == made
    assert "results/tables/benchmark.csv" in planned


def test_a_deleted_store_is_made_again_once_something_needs_it(edited):
    thick = "results/thick/phantom/box5.zarr"
    shutil.rmtree(edited.folder / thick)
    assert edited.planned() == set()  # the tables stand; disk space was wanted
    edited.edit("src/thinslice/nets/edsr.py", "nn.ReLU(inplace=True)", "nn.GELU()")
    assert thick in edited.planned()


@pytest.mark.parametrize(
    "name", ["tables/benchmark.md", "figures/bars.pdf", "figures/panels_phantom.png"]
)
def test_a_deleted_table_or_figure_is_made_again(edited, name):
    (edited.folder / "results" / name).unlink()
    planned = edited.planned()
    assert not upstream(planned)
    assert any(name.split(".")[0] in path for path in planned)


@pytest.mark.parametrize(
    ("record", "first"),
    [
        ("weights/edsr_small/phantom--box5", "results/weights/edsr_small/phantom--box5.pt"),
        ("thick/phantom/box5", "results/thick/phantom/box5.zarr"),
        ("raw/phantom", "results/raw/phantom.record.json"),
    ],
)
def test_a_link_that_a_killed_run_took_away_is_made_again(edited, record, first):
    (edited.folder / f"results/{record}.record.json").unlink()
    assert first in edited.planned()


def test_a_result_older_than_its_new_input_is_not_kept(edited):
    """A run killed between two jobs: the input was made again, what rests on it was not."""
    record = edited.folder / "results/thick/phantom/box5.record.json"
    changed = record.read_text().replace('"wall_s": ', '"wall_s": 1')
    assert changed != record.read_text()
    record.write_text(changed)
    planned = edited.planned()
    assert "results/restored/phantom/box5/linear/untrained.zarr" in planned
