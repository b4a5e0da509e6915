"""Progress in words: a log gets lines, a terminal one line that fits, whatever its width."""

import os
import pty
import subprocess
import sys

import pytest

from support.paths import importing
from thinslice.runtime import progress
from thinslice.runtime.progress import Progress, in_words

COUNTING = (
    "from thinslice.runtime import progress; progress.REDRAWN_EVERY_S = 0\n"
    "with progress.Progress(3, 'training', 'step') as shown:\n"
    "    for _ in range(3): shown.advance(note='loss ' + '0' * 200)"
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (13.6, "14 s"),
        (59.6, "1 min"),
        (200, "3 min 20 s"),
        (13623, "3 h 47 min"),
        (7200, "2 h"),
        (187_200, "2 d 4 h"),
    ],
)
def test_a_duration_is_said_in_two_units(seconds, words):
    assert in_words(seconds) == words


def test_a_log_says_what_is_done_the_time_left_and_the_last_note(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    times = iter([0.0, 2.0, 6.0, 10.0])
    monkeypatch.setattr(progress, "monotonic", lambda: next(times))
    with Progress(10, "training", "step", done=4) as shown:
        shown.advance(note="loss 0.5")
        shown.advance(2)
        shown.advance(3)
    assert capsys.readouterr().err.splitlines() == [
        "training: step 5 of 10, 10 s left (2 s each, loss 0.5)",
        "training: step 7 of 10, 6 s left (2 s each, loss 0.5)",
        "training: step 10 of 10, 0 s left (1.67 s each, loss 0.5)",
    ]


def test_a_log_of_hours_has_a_line_in_minutes(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(progress, "monotonic", lambda: now[0])
    with Progress(36000, "training", "step") as shown:
        for now[0] in range(1, 36001):
            shown.advance()
    assert 100 < len(capsys.readouterr().err.splitlines()) < 300


def test_nothing_is_shown_where_nobody_looks(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.0)
    with Progress(10, "training", "step", shown=False) as hidden:
        hidden.advance()
    assert capsys.readouterr().err == ""


def test_a_terminal_without_a_width_shows_one_line_of_80():
    """As ``script`` makes one: it has 0 columns."""
    ours, theirs = pty.openpty()
    environ = {key: value for key, value in importing().items() if key != "COLUMNS"}
    subprocess.run([sys.executable, "-c", COUNTING], stderr=theirs, env=environ, check=True)
    os.close(theirs)
    shown = os.read(ours, 1 << 16).decode()
    os.close(ours)
    *_, last, end = shown.replace("\x1b[K", "").split("\r")
    assert last.startswith("training: step 3 of 3, 0 s left (")
    assert len(last) == 79
    assert end == "\n"
