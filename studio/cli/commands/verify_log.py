"""``studio verify-log``: whether a target's history is whole."""

from __future__ import annotations

import argparse

from studio.cli.flags import option_values
from studio.cli.output import fail_job, print_json, print_lines, print_note
from studio.cli.session import add_step, workspace
from studio.deployment.results import VerifyLogResult

_REFUSED = 4


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "verify-log")


def run(arguments: argparse.Namespace) -> int:
    """Check and print; a history that is not whole ends with the code of a refusal."""
    with workspace() as opened:
        outcome = opened.run(
            "verify-log", **option_values(arguments, opened.steps["verify-log"].form)
        )
    if not outcome.ok:
        return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
    found: VerifyLogResult = outcome.result
    if arguments.json:
        print_json(outcome.document)
    if not found.whole:
        print_note(f"studio: {found.problem}")
        return _REFUSED
    if not arguments.json:
        print_lines(
            [
                f"Release history of {found.target} verified: {found.entries} entries, "
                f"{found.anchors} local checkpoints."
            ]
        )
    return 0
