"""The crate in a capsule: whole, valid for the validator of its community, and it answers.

The questions are those of https://www.researchobject.org/workflow-run-crate/requirements.
"""

import json
import sys
from urllib.parse import unquote

import pytest

from support import offline_crates
from thinslice.audit.capsule import verify
from thinslice.cli.command import main

PREFIXES = """
PREFIX s: <http://schema.org/>
PREFIX bs: <https://bioschemas.org/>
PREFIX bsw: <https://bioschemas.org/ComputationalWorkflow#>
PREFIX w: <https://w3id.org/ro/terms/workflow-run#>
PREFIX code: <https://codemeta.github.io/terms/>
PREFIX dct: <http://purl.org/dc/terms/>
"""
QUESTIONS = {
    "CQ2, memory and time": """SELECT ?action ?what ?unit ?value WHERE {
        ?action a s:CreateAction ; w:resourceUsage ?used .
        ?used a s:PropertyValue ; s:propertyID ?what ; s:unitCode ?unit ; s:value ?value }""",
    "CQ3, configuration of a step": """SELECT ?step ?file WHERE {
        ?control a s:ControlAction ; s:instrument ?step ; s:object ?action .
        ?action a s:CreateAction ; s:object ?file . ?file a s:MediaObject .
        FILTER (STRENDS(STR(?file), "settings.json")) }""",
    "CQ4, environment of a step": """SELECT ?step ?environment WHERE {
        ?workflow a s:HowTo, bs:ComputationalWorkflow ; s:step ?step ;
            code:buildInstructions ?environment .
        ?step a s:HowToStep ; code:buildInstructions ?environment .
        ?environment a s:MediaObject }""",
    "CQ5, how long a component takes": """SELECT ?tool ?start ?end WHERE {
        ?tool a s:SoftwareApplication .
        ?action a s:CreateAction ; s:instrument ?tool ; s:startTime ?start ; s:endTime ?end }""",
    "CQ6, how long the workflow takes": """SELECT ?start ?end WHERE {
        ?workflow a bs:ComputationalWorkflow .
        ?action s:instrument ?workflow ; s:startTime ?start ; s:endTime ?end }""",
    "CQ7, was it successful": """SELECT ?action WHERE {
        ?action a s:CreateAction ; s:actionStatus ?status .
        FILTER (STRENDS(STR(?status), "CompletedActionStatus")) }""",
    "CQ8, inputs and outputs of the workflow": """SELECT ?input ?output WHERE {
        ?workflow a bs:ComputationalWorkflow .
        ?action a s:CreateAction ; s:instrument ?workflow ; s:object ?input ; s:result ?output }""",
    "CQ9, versions": """SELECT ?name ?version WHERE {
        ?tool a s:SoftwareApplication ; s:name ?name ; s:softwareVersion ?version }""",
    "CQ10, what a script wraps": """SELECT ?tool ?main ?version WHERE {
        ?tool a s:SoftwareApplication ; s:softwareRequirements ?needed ; s:mainEntity ?main .
        ?action a s:CreateAction ; s:instrument ?tool .
        ?needed s:version ?version }""",
    "CQ11, values of the workflow's parameters": """SELECT ?name ?value WHERE {
        ?setting s:exampleOfWork ?parameter ; s:value ?value .
        ?run s:object ?setting ; s:instrument ?workflow .
        ?workflow bsw:input ?parameter . ?parameter s:name ?name }""",
    "CQ11, how they reached the tools": """SELECT ?parameter ?step WHERE {
        ?way w:sourceParameter ?parameter ; w:targetParameter ?of_tool .
        ?tool bsw:input ?of_tool .
        ?step w:connection ?way ; s:workExample ?tool }""",
}
PROFILES = ("ro-crate-1.1", "process-run-crate-0.5", "workflow-run-crate-0.5")


@pytest.fixture(scope="module")
def members(small, tmp_path_factory) -> dict[str, bytes]:
    out = tmp_path_factory.mktemp("crate") / "paper.zip"
    assert main(["capsule", str(small / "results/report.html"), "-o", str(out)]) == 0
    return verify.read(out)[0]


def entities(members: dict[str, bytes]) -> dict[str, dict]:
    graph = json.loads(members["ro-crate-metadata.json"])["@graph"]
    found = {entity["@id"]: entity for entity in graph}
    assert len(found) == len(graph)
    return found


def named_in(value: object) -> list[str]:
    """Every entity that a value refers to."""
    if isinstance(value, dict):
        return [value["@id"]] if set(value) == {"@id"} else named_in(list(value.values()))
    return [name for each in value for name in named_in(each)] if isinstance(value, list) else []


def test_every_reference_leads_to_an_entity_or_outside(members):
    found = entities(members)
    for entity in found.values():
        for name in named_in(list(entity.values())):
            assert name in found or name.startswith("https://"), (entity["@id"], name)


def test_every_file_of_the_capsule_is_in_it_with_its_hash(members):
    made_after = {"manifest.json", "ro-crate-metadata.json"}
    files = {
        unquote(name): entity["sha256"]
        for name, entity in entities(members).items()
        if "File" in entity["@type"]
    }
    assert files == {
        name: verify.sha256(text)
        for name, text in members.items()
        if name not in made_after and not name.startswith("statements/")
    }


def test_without_the_workflow_s_file_it_is_a_process_run_crate(members):
    from thinslice.audit.capsule import crate

    gone = ("Snakefile", "ro-crate-metadata.json")
    rest = {name: text for name, text in members.items() if name not in gone}
    records = verify.Capsule(members).records
    found = entities({"ro-crate-metadata.json": crate.metadata(rest, records, "a table", "")})
    assert [each["@id"] for each in found["./"]["conformsTo"]] == [crate.PROCESS]
    assert not {"#run", "#engine", "Snakefile"} & found.keys()
    references = {name for entity in found.values() for name in named_in(list(entity.values()))}
    assert {name for name in references if name.startswith("#")} <= found.keys()


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_published_questions_are_answered(members, question):
    pytest.importorskip("rdflib")
    pytest.importorskip("rocrate")
    graph = offline_crates.graph(members["ro-crate-metadata.json"])
    answers = list(graph.query(PREFIXES + QUESTIONS[question]))
    assert answers


def test_no_container_is_claimed_where_none_ran(members):
    """CQ1: records name no container image, so the crate names none."""
    assert b"ContainerImage" not in members["ro-crate-metadata.json"]


@pytest.mark.slow
@pytest.mark.parametrize("profile", [*PROFILES, "provenance-run-crate-0.5"])
def test_the_validator_of_the_community_passes_all_that_is_required(
    members, profile, tmp_path, monkeypatch
):
    pytest.importorskip("rocrate_validator")
    pytest.importorskip("rocrate")
    offline_crates.patch(monkeypatch)
    monkeypatch.setattr(sys, "argv", ["pytest"])
    from rocrate_validator import models, services

    for name, text in members.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
    settings = services.ValidationSettings(
        rocrate_uri=str(tmp_path),
        profile_identifier=profile,
        requirement_severity=models.Severity.REQUIRED,
    )
    result = services.validate(settings)
    assert result.passed(), [str(issue.message) for issue in result.get_issues()]
