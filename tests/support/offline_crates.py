"""RO-Crate's JSON-LD contexts without a network, for rdflib and for roc-validator.

Both contexts come from packages that may be here: the one of RO-Crate from ``rocrate``; that of
workflow runs is a list of terms in one namespace.
"""

import json
from importlib.resources import files
from typing import Any

WFRUN = "https://w3id.org/ro/terms/workflow-run#"
BIOSCHEMAS = "https://bioschemas.org/"
TERMS = (
    "ParameterConnection", "connection", "sourceParameter", "targetParameter", "md5", "sha1",
    "sha256", "sha512", "containerImage", "ContainerImage", "registry", "tag", "DockerImage",
    "SIFImage", "environment", "resourceUsage",
)  # fmt: skip


def contexts() -> dict[str, Any]:
    """Every context that a crate of ours names, by its URL."""
    text = (files("rocrate") / "data/ro-crate.jsonld").read_text()
    crate = json.loads(text)["@context"]
    workflow = f"{BIOSCHEMAS}ComputationalWorkflow"
    crate |= {"ComputationalWorkflow": workflow, "FormalParameter": f"{BIOSCHEMAS}FormalParameter"}
    crate |= {"input": f"{workflow}#input", "output": f"{workflow}#output"}
    return {
        "https://w3id.org/ro/crate/1.1/context": crate,
        "https://w3id.org/ro/terms/workflow-run/context": {term: WFRUN + term for term in TERMS},
    }


def graph(metadata: bytes) -> Any:
    """A crate's metadata as an rdflib graph."""
    import rdflib

    content = json.loads(metadata)
    merged = {key: value for each in contexts().values() for key, value in each.items()}
    text = json.dumps({**content, "@context": merged})
    return rdflib.Graph().parse(data=text, format="json-ld", publicID="https://example.org/crate/")


def patch(monkeypatch: Any) -> None:
    """Serve the contexts to roc-validator and pyld from here; any other request fails."""
    import requests
    import rocrate_validator.utils.http as http
    from rdflib.plugins.shared.jsonld import context, util

    known = contexts()

    def response(url: str) -> requests.Response:
        if url not in known:
            raise requests.ConnectionError(f"no network in tests: {url}")
        answer = requests.Response()
        answer.status_code, answer.url = 200, url
        answer._content = json.dumps({"@context": known[url]}).encode()
        answer.headers["Content-Type"] = "application/ld+json"
        return answer

    original = util.source_to_json

    def source_to_json(source: Any, *more: Any, **named: Any) -> Any:
        if str(source) in known:
            return {"@context": known[str(source)]}, None
        return original(source, *more, **named)

    monkeypatch.setattr(
        http.HttpRequester, "get", lambda _, url, *a, **k: response(url), raising=False
    )
    monkeypatch.setattr(requests.Session, "request", lambda _, m, url, *a, **k: response(url))
    monkeypatch.setattr(util, "source_to_json", source_to_json)
    monkeypatch.setattr(context, "source_to_json", source_to_json)
