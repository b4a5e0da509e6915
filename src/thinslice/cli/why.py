"""``thinslice why``: what changed since a result was made."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from thinslice.audit import lookup, places, why
from thinslice.errors import Refused, ThinsliceError
from thinslice.provenance.code_digest import SOURCE
from thinslice.workflow import own_data

CONFIG = SOURCE.parent / "config.yaml"
HINT = (
    "Compared with config.yaml alone. Was it made with a config of its own? Name that too:\n"
    "  thinslice why {result} --configfile FILE (or --config KEY=VALUE), as given to snakemake"
)


def add_to(commands: argparse._SubParsersAction) -> None:
    """Register the subcommand."""
    parser = commands.add_parser("why", help="say what changed since a result was made")
    parser.add_argument("result", type=Path, help="a file or store below results, or its record")
    parser.add_argument(
        "--configfile", type=Path, nargs="+", default=[], help="as given to snakemake, if any"
    )
    parser.add_argument(
        "--config", nargs="+", default=[], metavar="KEY=VALUE", help="as given to snakemake, if any"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if nothing changed, 1 if something did, 2 if that cannot be said."""
    try:
        config = read_config(arguments.configfile, arguments.config)
        record = lookup.naming(arguments.result)
        with places.entered(record) as record:
            config = own_data.with_own_data(config)
            changes = list(why.changes(record, config))
    except (ThinsliceError, ValueError, OSError) as error:
        print(f"thinslice why: {error}", file=sys.stderr)
        return 2
    if not changes:
        print(f"{arguments.result} is up to date: no change in code, config or inputs")
        return 0
    print(f"{arguments.result} would be made again:")
    results: dict[str, list[str]] = {}
    for change in changes:
        results.setdefault(change.words, []).append(change.result)
    for words, made in results.items():
        more = f" and {len(made) - 1} more" if made[1:] else ""
        print(f"  {words}\n      makes again {made[0]}{more}")
    if not (arguments.configfile or arguments.config) and any(map(of_config, results)):
        print(HINT.format(result=arguments.result))
    return 1


def of_config(words: str) -> bool:
    """Whether a change is one of the config."""
    return words.startswith("config: ")


def read_config(files: list[Path], values: list[str]) -> dict[str, Any]:
    """config.yaml of this checkout, with files and values over it, as Snakemake reads them."""
    try:
        import yaml
    except ImportError:
        raise Refused("PyYAML is needed, which Snakemake brings: pip install pyyaml") from None
    if not CONFIG.is_file():
        raise Refused(f"no {CONFIG}: run thinslice from a checkout, not from a wheel")
    config: dict[str, Any] = {}
    for file in [CONFIG, *files]:
        _update(config, yaml.safe_load(file.read_text(encoding="utf-8")) or {})
    for text in values:
        key, _, value = text.partition("=")
        config[key] = yaml.safe_load(value)
    return config


def _update(config: dict[str, Any], other: Mapping[str, Any]) -> None:
    """Put one config over another, key by key."""
    for key, value in other.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            _update(config[key], value)
        else:
            config[key] = value
