"""Jobs, tools and settings of a Provenance Run Crate, from records."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from thinslice.audit.capsule import verify
from thinslice.audit.capsule.verify import Members, Records
from thinslice.audit.cards import KIND_OF_CARD

Entity = dict[str, Any]
SETTINGS = "settings.json"


def ref(identity: str) -> dict[str, str]:
    """A reference to an entity."""
    return {"@id": identity}


def refs(identities: Iterable[str]) -> list[dict[str, str]]:
    """References to entities, each once."""
    return [ref(identity) for identity in dict.fromkeys(identities)]


class Jobs:
    """The jobs behind a result, in the order in which they began."""

    def __init__(self, members: Members, records: Records) -> None:
        self.members = members
        self.records = dict(sorted(records.items(), key=lambda each: each[1]["started"]))
        self.rules = list(dict.fromkeys(record["rule"] for record in self.records.values()))
        self.started = next(iter(self.records.values()))["started"]
        self.ended = max(map(_end, self.records.values()))

    def ids(self) -> list[str]:
        """Every action."""
        return [f"#job-{identity}" for identity in self.records]

    def tools(self) -> list[str]:
        """Every rule."""
        return [f"#rule-{rule}" for rule in self.rules]

    def steps(self) -> list[str]:
        """Every rule as a step."""
        return [f"#step-{rule}" for rule in self.rules]

    def controls(self) -> list[str]:
        """Every job as the engine's action."""
        return [f"#control-{identity}" for identity in self.records]

    def parameters(self) -> list[str]:
        """Every setting as a parameter of the workflow."""
        return [f"#parameter-{name}" for name in self._settings()]

    def packages(self) -> dict[str, str]:
        """Versions of Python and the packages that the first job ran with."""
        return next(iter(self.records.values()))["packages"]

    def tables(self) -> list[str]:
        """Members that analyses made."""
        of_tables = [r for r in self.records.values() if r["rule"] == "analyse"]
        paths = [each["path"] for record in of_tables for each in record["outputs"].values()]
        return [path for path in paths if path in self.members]

    def used(self) -> list[str]:
        """What the whole run read: raw files, and settings."""
        links = [link for record in self.records.values() for link in record["inputs"].values()]
        raw = [self._entity_of(link) for link in links if link["record"] is None]
        return [*raw, SETTINGS, *(f"#setting-{name}" for name in self._settings())]

    def made(self) -> list[str]:
        """What no other job read: the results of the run."""
        read = {link["path"] for r in self.records.values() for link in r["inputs"].values()}
        made = [link for r in self.records.values() for link in r["outputs"].values()]
        return [self._entity_of(link) for link in made if link["path"] not in read]

    def entities(self) -> Iterator[Entity]:
        """Jobs with what they used, tools, packages, settings, and files that are not here."""
        for name, version in self.packages().items():
            versions = {"name": name, "version": version, "softwareVersion": version}
            yield {"@id": f"#package-{name}", "@type": "SoftwareApplication", **versions}
        yield from map(self._tool, self.rules)
        for identity, record in self.records.items():
            yield from self._job(identity, record)
        links = [link for r in self.records.values() for link in _links(r)]
        absent = {self._entity_of(link): link for link in links}
        for name, link in absent.items():
            if name.startswith("#"):
                facts = {"name": link["path"], "sha256": link["sha256"]}
                yield {"@id": name, "@type": "CreativeWork", **facts}
        for name, (card, rules) in self._settings().items():
            of = [f"#parameter-{name}", *(f"#parameter-of-{rule}" for rule in rules)]
            facts = {"name": name, "value": json.dumps(card, sort_keys=True)}
            work = {"exampleOfWork": refs(of)} if "Snakefile" in self.members else {}
            yield {"@id": f"#setting-{name}", "@type": "PropertyValue", **facts, **work}

    def orchestration(self, environment: Mapping[str, Any]) -> Iterator[Entity]:
        """Steps, the engine's actions, and how settings reach the tools."""
        settings = self._settings()
        for position, rule in enumerate(self.rules):
            names = [name for name, (_, rules) in settings.items() if rule in rules]
            step = {"position": str(position), "workExample": ref(f"#rule-{rule}"), **environment}
            ways = {"connection": refs(f"#connection-{rule}-{name}" for name in names)}
            yield {"@id": f"#step-{rule}", "@type": "HowToStep", "name": rule, **step, **ways}
            if names:
                yield _parameter(f"of-{rule}", f"cards of {rule}", names)
            for name in names:
                source, target = ref(f"#parameter-{name}"), ref(f"#parameter-of-{rule}")
                ends = {"sourceParameter": source, "targetParameter": target}
                yield {"@id": f"#connection-{rule}-{name}", "@type": "ParameterConnection", **ends}
        for name in settings:
            yield _parameter(name, name, [name])
        for identity, record in self.records.items():
            what = {"instrument": ref(f"#step-{record['rule']}"), "object": ref(f"#job-{identity}")}
            name = f"orchestrate {record['rule']}"
            yield {"@id": f"#control-{identity}", "@type": "ControlAction", "name": name, **what}

    def _tool(self, rule: str) -> Entity:
        """A rule: the script that runs, in the version that its code digest is."""
        record = next(each for each in self.records.values() if each["rule"] == rule)
        version = record["script_code"] or "unknown"
        needs = refs(f"#package-{name}" for name in record["packages"])
        main = f"#package-{'thinslice' if 'thinslice' in record['packages'] else 'python'}"
        names = [name for name, (_, rules) in self._settings().items() if rule in rules]
        takes = {"input": ref(f"#parameter-of-{rule}")} if names and self._has_workflow() else {}
        about = {"name": f"rule {rule}: {record['command'][0]}", "softwareVersion": version}
        needs_of = {"softwareRequirements": needs, "mainEntity": ref(main)}
        return {
            "@id": f"#rule-{rule}",
            "@type": "SoftwareApplication",
            **about,
            **needs_of,
            **takes,
        }

    def _job(self, identity: str, record: Mapping[str, Any]) -> Iterator[Entity]:
        """One job, and what it needed of the machine."""
        usage = {
            "memory": (
                "peak memory",
                record["peak_memory_gib"],
                "https://qudt.org/vocab/unit/GibiBYTE",
            ),
            "time": ("wall time", record["wall_s"], "https://qudt.org/vocab/unit/SEC"),
        }
        for key, (name, value, unit) in usage.items():
            facts = {"name": name, "propertyID": f"urn:thinslice:{key}", "value": str(value)}
            kind = {"@type": "PropertyValue", "unitCode": unit}
            yield {"@id": f"#{key}-{identity}", **kind, **facts}
        settings = [f"#setting-{name}" for name, _ in _cards(record)]
        inputs = [self._entity_of(link) for link in record["inputs"].values()]
        made = [self._entity_of(link) for link in record["outputs"].values()]
        yield {
            "@id": f"#job-{identity}",
            "@type": "CreateAction",
            "name": f"{record['rule']}, record {identity}",
            "description": f"{' '.join(record['command'])}; on {record['machine']['host']}",
            "instrument": ref(f"#rule-{record['rule']}"),
            "object": refs([*inputs, *settings, SETTINGS]),
            "result": refs(made or [self._record_of(identity)]),
            "startTime": record["started"],
            "endTime": _end(record),
            "actionStatus": "http://schema.org/CompletedActionStatus",
            "resourceUsage": refs(f"#{key}-{identity}" for key in usage),
        }

    def _entity_of(self, link: Mapping[str, Any]) -> str:
        """A file in the capsule, the hashes of a volume, or a file that is not here."""
        for name in (link["path"], link["path"] + verify.STORE):
            if name in self.members:
                return quote(name)
        return f"#file-{link['sha256']}"

    def _record_of(self, identity: str) -> str:
        """The file of a record."""
        text = next(
            name
            for name, text in self.members.items()
            if name.endswith(verify.RECORD) and json.loads(text)["id"] == identity
        )
        return quote(text)

    def _settings(self) -> dict[str, tuple[Any, list[str]]]:
        """Every card, and the rules that take it."""
        found: dict[str, tuple[Any, list[str]]] = {}
        for record in self.records.values():
            for name, card in _cards(record):
                rules = found.setdefault(name, (card, []))[1]
                rules += [] if record["rule"] in rules else [record["rule"]]
        return found

    def _has_workflow(self) -> bool:
        return "Snakefile" in self.members


def _parameter(name: str, words: str, settings: Iterable[str]) -> Entity:
    """A formal parameter, and the settings that were given for it."""
    values = {"workExample": refs(f"#setting-{each}" for each in settings)}
    kind = {"@type": "FormalParameter", "additionalType": "Text"}
    return {"@id": f"#parameter-{name}", **kind, "name": words, **values}


def _cards(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Cards of plug-ins by a name that no other card has."""
    for key, cards in record["cards"].items():
        for card in cards if isinstance(cards, list) else [cards]:
            if key in KIND_OF_CARD:
                name = f"{KIND_OF_CARD[key]}.{card['name']}.{verify.id_of(card)[:8]}"
                yield quote(name), card


def _links(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [*record["inputs"].values(), *record["outputs"].values()]


def _end(record: Mapping[str, Any]) -> str:
    """When a job ended."""
    end = datetime.fromisoformat(record["started"]) + timedelta(seconds=record["wall_s"])
    return end.isoformat(timespec="seconds")
