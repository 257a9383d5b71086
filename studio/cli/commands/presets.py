"""``studio presets``: the quantization presets, for ``studio quantize --preset``."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from studio.api import Option
from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import workspace
from studio.documents.text_table import table
from studio.workspace import CheckedPreset, allowed_values


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(parser, list="list presets", show="show a preset with all options")
    verbs["show"].add_argument("preset", metavar="NAME|FILE", help="preset name or TOML file")


def run(arguments: argparse.Namespace) -> int:
    """List or show."""
    with workspace() as opened:
        if arguments.verb == "show":
            return _show(opened.presets.check(arguments.preset), arguments.json)
        entries = (*opened.presets.all(), *opened.presets.of_language())
    if arguments.json:
        print_json({"presets": [asdict(entry) for entry in entries]})
        return 0
    lines = [(e.name, "yours" if e.own else "", e.title, e.hardware) for e in entries]
    print_lines(table(("name", "", "title", "hardware"), lines))
    return 0


def _show(checked: CheckedPreset, as_json: bool) -> int:
    if as_json:
        options = [_described(option, checked.values[option.name]) for option in checked.options]
        print_json({**asdict(checked.entry), "options": options})
        return 0
    rows = [
        (o.name, _written(checked.values[o.name]), allowed_values(o), o.help)
        for o in checked.options
    ]
    print_lines([*checked.entry.text.rstrip().splitlines(), ""])
    print_lines(table(("option", "value", "allowed", "what it does"), rows))
    return 0


def _described(option: Option, value: Any) -> dict[str, Any]:
    return {
        "name": option.name,
        "value": value,
        "default": option.default,
        "allowed": allowed_values(option),
        "help": option.help,
    }


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
