"""Describe a capsule as a Provenance Run Crate: RO-Crate 1.1 with the workflow-run profiles 0.5.

Written from the records alone. A volume is described by its list of hashes, which is in the
capsule; weights and raw scans, which are not, by their hash. Without the workflow's own file (a
``pip install``) it is a Process Run Crate: jobs, and no workflow.
"""

import mimetypes
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from thinslice.audit.capsule import verify
from thinslice.audit.capsule.crate_jobs import Jobs, ref, refs
from thinslice.audit.capsule.verify import Members, Records

METADATA, WORKFLOW, LOCK = "ro-crate-metadata.json", "Snakefile", "requirements.lock"
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
]
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
CRATE, PROCESS, WORKFLOW_CRATE = "https://w3id.org/ro/crate/1.1", *list(PROFILES)[::3]
BIOSCHEMAS = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
LANGUAGE, LICENCE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake", "#licence"
ENGINE = "#snakemake"


def metadata(members: Members, records: Records, about: str, licence: str) -> bytes:
    """The text of ro-crate-metadata.json.

    members   everything else in the capsule
    about     the result that was asked for, by its path
    licence   a URL, or "" where its author states none
    """
    jobs = Jobs(members, records)
    has_workflow = WORKFLOW in members
    graph = [
        _descriptor(has_workflow),
        _root(members, jobs, about, licence or LICENCE),
        *_profiles(has_workflow),
        _licence(licence),
        *(_file(name, text, jobs) for name, text in sorted(members.items()) if name != WORKFLOW),
        *jobs.entities(),
        *(_workflow(members, jobs) if has_workflow else ()),
    ]
    return verify.text_of({"@context": CONTEXT, "@graph": graph})


def _descriptor(has_workflow: bool) -> dict[str, Any]:
    profiles = [CRATE, WORKFLOW_CRATE] if has_workflow else [CRATE]
    about = {"about": ref("./"), "conformsTo": refs(profiles)}
    return {"@id": METADATA, "@type": "CreativeWork", **about}


def _root(members: Members, jobs: Jobs, about: str, licence: str) -> dict[str, Any]:
    has_workflow = WORKFLOW in members
    profiles = PROFILES if has_workflow else [PROCESS]
    root = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"What {about} rests on",
        "description": "Evidence, records, settings and statements behind numbers of thinslice; "
        "verify.py checks them without it.",
        "datePublished": jobs.ended[:10],
        "license": ref(licence),
        "conformsTo": refs(profiles),
        "hasPart": refs(quote(name) for name in sorted(members)),
        "mentions": refs([*(["#run"] if has_workflow else []), *jobs.ids()]),
    }
    return {**root, "mainEntity": ref(WORKFLOW)} if has_workflow else root


def _profiles(has_workflow: bool) -> Iterable[dict[str, Any]]:
    for url, name in PROFILES.items():
        if has_workflow or url == PROCESS:
            yield {"@id": url, "@type": "CreativeWork", "name": name, "version": url.split("/")[-1]}


def _licence(licence: str) -> dict[str, Any]:
    name = licence or "not stated: ask whoever sent this"
    return {"@id": licence or LICENCE, "@type": "CreativeWork", "name": name}


def _file(name: str, text: bytes, jobs: Jobs) -> dict[str, Any]:
    """A member of the capsule."""
    kind = mimetypes.guess_type(name)[0] or "text/plain"
    facts = {"sha256": verify.sha256(text), "contentSize": str(len(text)), "encodingFormat": kind}
    of_workflow = WORKFLOW in jobs.members and name in jobs.tables()
    work = {"exampleOfWork": ref("#output")} if of_workflow else {}
    return {"@id": quote(name), "@type": "File", "name": name, **facts, **work}


def _workflow(members: Members, jobs: Jobs) -> list[dict[str, Any]]:
    """The workflow, its run, and the engine that orchestrated the jobs."""
    environment = {"buildInstructions": ref(LOCK)} if LOCK in members else {}
    snakemake = jobs.packages().get("snakemake", "unknown")
    times = {"startTime": jobs.started, "endTime": jobs.ended}
    workflow = {
        "@id": WORKFLOW,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": "thinslice",
        "sha256": verify.sha256(members[WORKFLOW]),
        "conformsTo": ref(BIOSCHEMAS),
        "programmingLanguage": ref(LANGUAGE),
        "input": refs(jobs.parameters()),
        "output": ref("#output"),
        "hasPart": refs(jobs.tools()),
        "step": refs(jobs.steps()),
        **environment,
    }
    output = {"@id": "#output", "@type": "FormalParameter", "additionalType": "File"}
    version = {"name": f"Snakemake {snakemake}", "version": snakemake}
    run = {"instrument": ref(WORKFLOW), "object": refs(jobs.used()), "result": refs(jobs.made())}
    engine = {"instrument": ref(ENGINE), "object": refs(jobs.controls()), "result": ref("#run")}
    return [
        workflow,
        {**output, "name": "tables", "workExample": refs(map(quote, jobs.tables()))},
        {"@id": LANGUAGE, "@type": "ComputerLanguage", "name": "Snakemake", "version": snakemake},
        {"@id": BIOSCHEMAS, "@type": "CreativeWork", "name": "ComputationalWorkflow"},
        {"@id": ENGINE, "@type": "SoftwareApplication", **version},
        {"@id": "#run", "@type": "CreateAction", "name": "the run", **done(times), **run},
        {"@id": "#engine", "@type": "OrganizeAction", "name": "Snakemake's run", **times, **engine},
        *jobs.orchestration(environment),
    ]


def done(times: Mapping[str, str]) -> dict[str, Any]:
    """Times and status of an action that came to its end: a job that fails leaves no record."""
    return {**times, "actionStatus": "http://schema.org/CompletedActionStatus"}
