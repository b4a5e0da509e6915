"""What the run cost, and how its networks learned: seconds, memory, energy, curves."""

import math
from collections.abc import Sequence
from html import escape

from thinslice.report.html.run import Run, Training, duration
from thinslice.report.tables import wording

WIDTH, HEIGHT = 320, 170
LEFT, RIGHT, TOP, BOTTOM = 46, 8, 12, 30
ENERGY = (
    "Energy is an estimate and not a measurement: 10 W for each busy core and 400 W for each busy "
    "GPU, times the seconds."
)
HEAD = (
    *("method", "fitted on", "device", "parameters", "time", "waiting for data", "GiB"),
    "energy (kWh, estimate)",
)


def costs(run: Run) -> str:
    """One row a training, and the whole run below."""
    rows = "".join(_row(training) for training in run.trainings)
    head = "".join(
        f'<th scope="col"{" class=word" if k < 3 else ""}>{title}</th>'
        for k, title in enumerate(HEAD)
    )
    table = (
        '<div class="wide" tabindex="0" role="group" aria-label="Costs of training">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )
    whole = (
        f"<p>All {run.jobs} jobs together: {duration(run.wall_s)}, "
        f"{wording.number(run.energy_kwh)} kWh. {ENERGY}</p>"
    )
    return (table if run.trainings else "") + whole


def _row(training: Training) -> str:
    words = (training.method, training.fitted_on, training.device)
    numbers = (
        (wording.count(training.parameters), training.parameters),
        (duration(training.wall_s), training.wall_s),
        (_percent(training.waiting), training.waiting),
        (wording.number(training.peak_memory_gib, "mm"), training.peak_memory_gib),
        (wording.number(training.energy_kwh), training.energy_kwh),
    )
    left = "".join(f'<td class="word">{escape(word)}</td>' for word in words)
    right = "".join(f'<td data-v="{value:.9g}">{text}</td>' for text, value in numbers)
    return f"<tr>{left}{right}</tr>"


def _percent(share: float) -> str:
    """A share in per cent, a dash where it was not measured."""
    return f"{100 * share:.1f} %" if math.isfinite(share) else wording.number(share)


def curves(trainings: Sequence[Training]) -> str:
    """A small plot of each training: loss, and validation loss, over steps."""
    plots = [_plot(training) for training in trainings if len(_points(training, "loss")) > 1]
    return f'<div class="plots">{"".join(plots)}</div>' if plots else ""


def _points(training: Training, key: str) -> list[tuple[float, float]]:
    """Steps and positive values of one column of a curve."""
    return [
        (float(row["step"]), float(row[key]))
        for row in training.curve
        if key in row and math.isfinite(row[key]) and row[key] > 0
    ]


def _plot(training: Training) -> str:
    lines = {key: _points(training, key) for key in ("loss", "val")}
    every = [point for line in lines.values() for point in line]
    last = max(x for x, _ in every)
    low, high = (math.log10(pick(y for _, y in every)) for pick in (min, max))
    span = max(high - low, 0.1)

    def at(x: float, y: float) -> str:
        right = LEFT + (WIDTH - LEFT - RIGHT) * x / last
        down = TOP + (HEIGHT - TOP - BOTTOM) * (high - math.log10(y)) / span
        return f"{right:.1f},{down:.1f}"

    drawn = "".join(
        f'<polyline class="{key}" points="{" ".join(at(*point) for point in line)}"/>'
        for key, line in lines.items()
        if line
    )
    name = f"{training.method}, fitted on {training.fitted_on}"
    ends = lines["val"] or lines["loss"]
    label = f"Learning curve of {name}: last value {ends[-1][1]:.3g} at step {ends[-1][0]:.0f}"
    axis = (
        f'<text x="{LEFT - 5}" y="{TOP + 8}" text-anchor="end">{10**high:.2g}</text>'
        f'<text x="{LEFT - 5}" y="{HEIGHT - BOTTOM}" text-anchor="end">{10**low:.2g}</text>'
        f'<text x="{LEFT}" y="{HEIGHT - 10}">step 0</text>'
        f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{last:.0f}</text>'
    )
    frame = f'<path class="frame" d="M{LEFT} {TOP}V{HEIGHT - BOTTOM}H{WIDTH - RIGHT}"/>'
    svg = (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label)}">'
        f"{frame}{axis}{drawn}</svg>"
    )
    return f"<figure>{svg}<figcaption>{escape(name)}</figcaption></figure>"
