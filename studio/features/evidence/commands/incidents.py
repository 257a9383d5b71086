"""``studio incidents``: incidents of models with their clock, and an export for an authority."""

from __future__ import annotations

import argparse

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.dataclass_json import to_json
from studio.features.evidence.incidents import texts
from studio.features.evidence.records.subject import find_subject
from studio.features.evidence.survey.facade import Evidence

_STEPS = {
    "open": ("incident-open", "open an incident, with what served when it happened"),
    "note": ("incident-note", "add a note, or decide the kind"),
    "report": ("incident-report", "record that an incident was reported"),
    "close": ("incident-close", "close an incident with its cause"),
    "export": ("incident-export", "write an incident as a page and JSON, with digests"),
}
_LIST, _SHOW = "list", "show"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    texts_of = {name: text for name, (_, text) in _STEPS.items()}
    parsers = add_verbs(
        parser,
        **texts_of,
        **{_LIST: "list incidents with their clocks", _SHOW: "show an incident with its entries"},
    )
    for name, (step, _) in _STEPS.items():
        add_step(parsers[name], step)
    text = "model, version or target; without it those of all models"
    parsers[_LIST].add_argument("model", nargs="?", metavar="MODEL", help=text)
    parsers[_SHOW].add_argument("model", metavar="MODEL", help="model, version or target")
    parsers[_SHOW].add_argument("number", type=int, metavar="NUMBER", help="of the incident")


def run(arguments: argparse.Namespace) -> int:
    """Run the verb."""
    if arguments.verb in _STEPS:
        return run_named(_STEPS[arguments.verb][0], arguments)
    return _list(arguments) if arguments.verb == _LIST else _show(arguments)


def _list(arguments: argparse.Namespace) -> int:
    with workspace() as opened:
        registry, files = opened.registry, opened.service(Evidence).incidents
        names = [one.name for one in registry.models()]
        if arguments.model is not None:
            names = [find_subject(registry, arguments.model).variant.model_name]
        found = {name: files.of(name) for name in sorted(names)}
    if arguments.json:
        print_json({"incidents": [{"model": m, **to_json(i)} for m, o in found.items() for i in o]})
    else:
        print_lines(texts.listed(found))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    with workspace() as opened:
        model = find_subject(opened.registry, arguments.model).variant.model_name
        one = opened.service(Evidence).incidents.incident(model, arguments.number)
    if arguments.json:
        print_json({"model": model, "incident": to_json(one)})
    else:
        print_lines(texts.shown(model, one))
    return 0
