"""The learning curve of a training in several stages."""

import pytest

from thinslice.training.curve import (
    Curve,
    Manner,
    join_stages,
    manner_facts,
    training_seconds,
    waiting_share,
)


def test_every_row_of_every_stage_stands_once_under_its_name(tmp_path):
    for name, rows in (("first", ["1,0.5", "2,0.25"]), ("second", ["1,0.125"])):
        (tmp_path / name).write_text("\n".join(["step,loss", *rows]) + "\n")
    joined = join_stages(
        {"transfer": tmp_path / "first", "fusion": tmp_path / "second"}, tmp_path / "curve.csv"
    )
    assert joined.read_text().splitlines() == [
        "stage,step,loss",
        "transfer,1,0.5",
        "transfer,2,0.25",
        "fusion,1,0.125",
    ]


def test_curves_of_different_columns_are_refused(tmp_path):
    (tmp_path / "a").write_text("step,loss\n")
    (tmp_path / "b").write_text("step,val\n")
    with pytest.raises(ValueError, match="different columns"):
        join_stages({"a": tmp_path / "a", "b": tmp_path / "b"}, tmp_path / "c")


def test_a_training_took_the_sum_of_its_stages_last_seconds(tmp_path):
    for name, seconds in (("a", (1.5, 4.0)), ("b", (2.25,))):
        with Curve(tmp_path / f"{name}.csv") as curve:
            for step, wall_s in enumerate(seconds, 1):
                curve.add(step, 0.5, None, 1e-3, wall_s, 1.0)
    stages = join_stages({n: tmp_path / f"{n}.csv" for n in "ab"}, tmp_path / "both.csv")
    assert training_seconds(tmp_path / "a.csv") == 4.0
    assert training_seconds(stages) == 6.25


def test_waiting_is_a_share_of_all_seconds(tmp_path):
    for name, rows in (("a", ((2.0, 0.5), (4.0, 0.0))), ("b", ((4.0, 0.25),))):
        with Curve(tmp_path / f"{name}.csv") as curve:
            for step, (wall_s, waiting) in enumerate(rows, 1):
                curve.add(step, 0.5, None, 1e-3, wall_s, 1.0, waiting)
    stages = join_stages({n: tmp_path / f"{n}.csv" for n in "ab"}, tmp_path / "both.csv")
    assert waiting_share(tmp_path / "a.csv") == 0.25
    assert waiting_share(stages) == 0.25


def test_a_training_that_went_on_elsewhere_has_both_manners(tmp_path):
    with Curve(tmp_path / "curve.csv") as curve:
        curve.add(1, 0.5, None, 1e-3, 1.0, 1.0, 0.0, Manner("fp32", "kept", 300))
        curve.add(2, 0.5, None, 1e-3, 1.0, 1.0, 0.0, Manner("bf16", "recomputed", 0))
        curve.add(3, 0.5, None, 1e-3, 1.0, 1.0, 0.0, Manner("bf16", "recomputed", 0))
    assert manner_facts(tmp_path / "curve.csv") == {
        "precision": "fp32, bf16",
        "activations": "kept, recomputed",
        "activations_room_mib": 300,
    }


def test_a_curve_without_the_columns_of_a_manner_says_nothing_of_it(tmp_path):
    (tmp_path / "curve.csv").write_text("step,loss,val,lr,wall_s,speed,waiting\n1,1,,1,1,1,0\n")
    assert manner_facts(tmp_path / "curve.csv") == {}
