"""``studio project``: what belongs to a model besides its file."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.flags import add_verbs
from studio.cli.output import fail_job, print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.dataclass_json import to_json
from studio.projects import texts
from studio.projects.results import Project

_SET = "project-set"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        show="show what belongs to a model, and where it is from",
        set="set them for a model",
    )
    show, setting = verbs.values()
    show.add_argument("model", metavar="MODEL", help="file, name or #number")
    add_step(setting, _SET)


def run(arguments: argparse.Namespace) -> int:
    """Show or set."""
    if arguments.verb == "set":
        return run_named(_SET, arguments)
    given = Path(arguments.model).expanduser()
    with workspace() as opened:
        if not given.is_file():
            return _show(opened.projects.of(opened.registry.find(arguments.model)), arguments)
        outcome = opened.run("open", model=str(given))
        if not outcome.ok:
            return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
        variant = opened.registry.variant(outcome.result.variant)
        return _show(opened.projects.of(variant, given.absolute()), arguments)


def _show(project: Project, arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json(to_json(project))
    else:
        print_lines(texts.project(project))
    return 0
