"""The page of speeds is what the last run of the benchmarks says."""

import json

from benchmarks.speed_page import AIMS, LAST_RUN, PAGE, page
from support.paths import ROOT


def test_the_page_is_written_from_the_last_run():
    assert PAGE.read_text() == page(json.loads(LAST_RUN.read_text()))


def test_what_was_reached_is_an_aim_of_the_page():
    aims = {aim for aim, _, _ in AIMS}
    for entry in json.loads(LAST_RUN.read_text()).values():
        for line in entry["output"].splitlines():
            if line.startswith("reached | "):
                assert line.split(" | ")[1] in aims


def test_an_aim_without_a_measurement_says_so():
    assert page({}).count("not measured") == len(AIMS)


def test_every_benchmark_of_the_page_is_a_script():
    for name in json.loads(LAST_RUN.read_text()):
        assert (ROOT / "benchmarks" / f"{name}.py").is_file()
