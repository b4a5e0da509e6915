"""Scores by stratum: every case in its maker, ratio and kernel, none twice, none set aside."""

import dataclasses

import pandas as pd
import pytest

from support.evidence import evidence_of, score
from thinslice.analyses import strata

MAKERS = {"a": "ge", "b": "ge", "c": "siemens"}
HU = {"a": 10.0, "b": 30.0, "c": 50.0}


def case(name: str, maker: str, set_aside: str = "") -> dict[str, str]:
    about = {"ratio": "1/5", "kernel": "same", "set_aside": set_aside, "record": "c"}
    return {
        "dataset": "phantom",
        "case": name,
        "patient": name,
        "split": "test",
        "maker": maker,
        **about,
    }


def made() -> strata.Evidence:
    scores = [score(name, hu) for name, hu in HU.items()]
    scores += [score(name, hu + 5, fitted_on="elsewhere/acquired") for name, hu in HU.items()]
    cases = [case(name, maker) for name, maker in MAKERS.items()]
    cases.append(case("d", "ge", "frame: two frames of reference"))
    return dataclasses.replace(evidence_of(scores), cases=pd.DataFrame(cases))


def test_means_are_over_the_cases_of_the_stratum():
    table = strata.build(by=["maker"])(made())
    here = table[table["fitted_on"] == ""]
    assert dict(zip(here["stratum"], here["mean"])) == {
        "all": 30,
        "maker ge": 20,
        "maker siemens": 50,
    }
    assert dict(zip(here["stratum"], here["n"])) == {"all": 3, "maker ge": 2, "maker siemens": 1}


def test_what_was_fitted_elsewhere_is_there_too():
    table = strata.build(by=["maker"])(made())
    foreign = table[table["fitted_on"] == "elsewhere/acquired"]
    assert dict(zip(foreign["stratum"], foreign["mean"]))["maker ge"] == 25


def test_every_stratifier_holds_each_case_once():
    table = strata.build()(made())
    here = table[table["fitted_on"] == ""]
    kinds = here.assign(kind=here["stratum"].str.partition(" ")[0]).groupby("kind")["n"].sum()
    assert dict(kinds) == {"all": 3, "kernel": 3, "maker": 3, "ratio": 3}


def test_any_other_stratum_is_refused():
    with pytest.raises(LookupError, match="found weight"):
        strata.build(by=["weight"])(made())
