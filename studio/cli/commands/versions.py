"""``studio versions``: lineage, aliases and the history of releases."""

from __future__ import annotations

import argparse

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.dataclass_json import to_json
from studio.versions import texts

_STEPS = {
    "alias": "version-alias",
    "promote": "version-promote",
    "rollback": "version-rollback",
    "export": "project-export",
    "import": "project-import",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        **{
            "list": "list versions of one or all models",
            "show": "show the lineage and deployments of a version",
            "at": "show the releases at a point in time",
            "alias": "point an alias to a version",
            "promote": "promote a version whose gates passed",
            "rollback": "roll an alias back to its previous version",
            "export": "export models and versions as an archive",
            "import": "import models and versions from an archive",
        },
    )
    for verb, step in _STEPS.items():
        add_step(verbs[verb], step)
    listing, show, at = (verbs[verb] for verb in ("list", "show", "at"))
    listing.add_argument("model", nargs="?", help="model name")
    show.add_argument("version", help="NAME, NAME:NUMBER, NAME@ALIAS or a digest")
    at.add_argument("time", help="2026-11-26T14:30, or now")
    at.add_argument("--target", help="target [default: all]")


def run(arguments: argparse.Namespace) -> int:
    """Run the command of the verb."""
    if arguments.verb in _STEPS:
        return run_named(_STEPS[arguments.verb], arguments)
    with workspace() as opened:
        if arguments.verb == "list":
            versions = opened.versions.all(arguments.model)
            return _print(arguments, versions, texts.version_list(versions))
        if arguments.verb == "show":
            origin = opened.versions.lineage(arguments.version)
            return _print(arguments, origin, texts.lineage(origin))
        served = opened.versions.at(arguments.time, arguments.target)
        return _print(arguments, served, texts.releases_at(served))


def _print(arguments: argparse.Namespace, result: object, lines: list[str]) -> int:
    if arguments.json:
        print_json(to_json(result))
    else:
        print_lines(lines)
    return 0
