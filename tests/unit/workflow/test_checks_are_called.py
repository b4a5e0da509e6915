"""Every check of a config is one that planning makes."""

import re

from support.paths import ROOT

WORKFLOW = ROOT / "src/thinslice/workflow"
DEFINED = re.compile(r"^def (check_\w+)\(", re.MULTILINE)


def test_the_workflow_calls_every_check():
    files = [ROOT / "Snakefile", *(ROOT / "rules").glob("*.smk")]
    called = "".join(path.read_text() for path in files)
    checks = [
        f"{path.stem}.{name}("
        for path in sorted(WORKFLOW.glob("check*.py"))
        for name in DEFINED.findall(path.read_text())
    ]
    assert len(checks) > 10
    assert [each for each in checks if each not in called] == []
