"""A mistyped word is answered with the nearest one, first, in one line and status 2."""

import subprocess

import pytest

from thinslice.cli import main
from thinslice.cli.completion import script

TYPOS = {
    "restre": "did you mean 'restore'? COMMAND 'restre' is none of inspect, restore, ",
    "methods --jsn": "did you mean '--json'? no argument '--jsn' here",
    "restore a b --device gpu": "did you mean 'cuda'? --device 'gpu' is none of auto, cpu, cuda",
    "restore a b --thicknes 1": "did you mean '--thickness'? no argument '--thicknes' here",
    "restore a b --tread 2": "did you mean '--threads'? no argument '--tread' here",
    "thicken a b --thickness 5 --profile bx": "did you mean 'box'? --profile 'bx' is none of box",
    "completion zssh": "did you mean 'zsh'? SHELL 'zssh' is none of bash, zsh",
    "weights inf": "did you mean 'info'? ACTION 'inf' is none of info, pack",
    "study make p a=b --key k --seed -7": "argument --seed: '-7' is no seed; write a whole number",
    "rerun x --seed -7": "argument --seed: '-7' is no seed; write a whole number from 0",
    "study make p --key k --seed 7 --groups a b c=d": "the following arguments are required: "
    "NAME=PATH; write it before --planes and --groups",
    "qqq": "COMMAND 'qqq' is none of",
}


@pytest.mark.parametrize("words", TYPOS)
def test_the_nearest_word_comes_first(capsys, words):
    with pytest.raises(SystemExit) as stop:
        main(words.split())
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    command, _, message = line.partition(": ")
    assert command.startswith("thinslice")
    assert message.startswith(TYPOS[words])
    assert line.endswith("--help)")


def test_a_file_without_an_action_is_taken_for_one_to_be_shown(capsys, tmp_path):
    (tmp_path / "w.pt").touch()
    with pytest.raises(SystemExit):
        main(["weights", str(tmp_path / "w.pt")])
    assert f"did you mean `thinslice weights info {tmp_path}/w.pt`?" in capsys.readouterr().err


def test_without_a_word_the_help_is_printed(capsys):
    assert main([]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("usage: thinslice")
    assert err == ""


COMPLETED = {
    "thinslice resto": "restore",
    "thinslice restore --metho": "--method",
    "thinslice restore --method lanc": "lanczos3",
    "thinslice restore a b --device cu": "cuda",
    "thinslice weights in": "info",
    "thinslice completion z": "zsh",
}


def test_a_shell_completes_commands_options_and_their_words():
    """The script is run as bash runs it; zsh reads the same one."""
    asked = "\n".join(
        f"COMP_WORDS=({line}); COMP_CWORD={len(line.split()) - 1}; COMPREPLY=(); _thinslice; "
        'echo "${COMPREPLY[@]}"'
        for line in COMPLETED
    )
    ran = subprocess.run(
        ["bash", "-c", f"{script()}\n{asked}"], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines() == list(COMPLETED.values())
    assert ran.stderr == ""


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_script_of_each_shell_says_where_it_belongs(capsys, shell):
    assert main(["completion", shell]) == 0
    printed = capsys.readouterr().out
    assert f"~/.{shell}rc" in printed
    assert ("bashcompinit" in printed) == (shell == "zsh")
    assert "Traceback" not in printed
