"""What no job could do is refused while planning, in lines that name it; nothing is removed."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.paths import ROOT

OWN = ("--configfile", str(ROOT / "experiments/own_data.yaml"))


def plan(folder: Path, *arguments: str, snakefile: Path = ROOT / "Snakefile") -> list[str]:
    """The refusals of a dry run in ``folder``, which must fail."""
    command = [sys.executable, "-m", "snakemake", "-n", "--cores", "1", "--snakefile"]
    done = subprocess.run(
        [*command, str(snakefile), "--directory", str(folder), *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode, done.stdout
    assert "Traceback" not in done.stdout
    return [line for line in done.stdout.splitlines() if line.startswith("refused: ")]


def overlay(folder: Path, text: str) -> tuple[str, str]:
    (folder / "overlay.yaml").write_text(text)
    return "--configfile", str(folder / "overlay.yaml")


def own(folder: Path, manifest: str, *files: str) -> tuple[str, ...]:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("never read")
    (folder / "manifest.csv").write_text(f"case,patient,split,thin\n{manifest}\n")
    return (*OWN, "--config", f"root={folder}")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (
            'methods: {edsr_small: {settings: {stepz: 10, steps: "20"}}}\n',
            [
                "methods edsr_small: steps: found the text '20'; expected a whole number or null; "
                "write 20 without quotes",
                "methods edsr_small: no setting 'stepz'; did you mean 'steps'?",
            ],
        ),
        (
            "figures: {bars: {settings: {metric: rmsehu}}}\n",
            ["figures bars: metric: no protocol gives 'rmsehu'; did you mean 'rmse_hu'?"],
        ),
        ("gird: {}\n", ["config: no key 'gird'; did you mean 'grid'?"]),
        (
            "methods:\n  edsr_small:\n    settings: {lr: .nan}\n",
            [
                "methods edsr_small: lr: found nan; expected a number; "
                "correct it in FOLDER/overlay.yaml, line 3",
            ],
        ),
        (
            "grid: {methods: [linear]}\ngrid: {datasets: [phantom]}\n",
            [
                "FOLDER/overlay.yaml, line 2: found key 'grid' again, first on line 1; expected "
                "each key once; keep one, or put what both hold into it",
            ],
        ),
    ],
)
def test_a_config_is_refused_in_lines_of_its_own(tmp_path, text, lines):
    weights = tmp_path / "results/weights/edsr_small/phantom--acquired.pt"
    weights.parent.mkdir(parents=True)
    weights.write_text("days of training")
    found = plan(tmp_path, *overlay(tmp_path, text))
    expected = [f"refused: {line}".replace("FOLDER", str(tmp_path)) for line in sorted(lines)]
    assert sorted(found) == expected
    assert weights.read_text() == "days of training"


def test_a_manifest_is_refused_line_by_line(tmp_path):
    arguments = own(tmp_path, "a,p,test,a.nii.gz\nB,q,test,b.nii.gz\nc,r,tset,a.nii.gz", "a.nii.gz")
    first, second = plan(tmp_path, *arguments)
    assert "manifest.csv, line 3: found case 'B'" in first
    assert "manifest.csv, line 4: found split 'tset'" in second


def test_braces_that_snakemake_takes_for_a_wildcard_are_refused_by_the_file_s_name(tmp_path):
    arguments = own(tmp_path, "a,p,test,a", "a/SE0/IM{7}.dcm")
    (line,) = plan(tmp_path, *arguments)
    assert line.startswith(f"refused: {tmp_path}/a/SE0/IM{{7}}.dcm: found curly braces")


@pytest.mark.parametrize(
    "text",
    [
        'module thin:\n    snakefile: "{0}"\n    config: config\nuse rule * from thin\n',
        'include: "{0}"\n',
    ],
)
def test_it_is_no_module_of_another_workflow_and_says_so(tmp_path, text):
    other = tmp_path / "Snakefile"
    other.write_text(text.format(ROOT / "Snakefile"))
    (line,) = plan(tmp_path, snakefile=other)
    assert f"{tmp_path}: thinslice cannot be imported by `module:`" in line


def test_a_checkout_below_a_folder_with_braces_is_refused_by_its_name(tmp_path):
    checkout = tmp_path / "a{b}"
    checkout.mkdir()
    (checkout / "Snakefile").write_text((ROOT / "Snakefile").read_text())
    (line,) = plan(tmp_path, snakefile=checkout / "Snakefile")
    assert f"{checkout}: found curly braces" in line
