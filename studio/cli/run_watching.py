"""``studio run RECIPE --on MODEL@ALIAS``: the recipe for each version that an alias moves to."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

from studio.api import StudioError, UsageError
from studio.cli.output import print_json, tell
from studio.pipelines.run_report import RecipeReport
from studio.pipelines.triggers import Alias, Trigger
from studio.workspace import RunWish, Workspace


def follow(
    opened: Workspace,
    arguments: argparse.Namespace,
    wish: RunWish,
    describe: Callable[[RecipeReport], None],
) -> int:
    """Look again and again; each new version starts the recipe. A failure is told, and waits.

    The version that the alias stands for at the beginning counts as new: what moved while nobody
    looked is not missed, and what did not change since is not done again.

    Raises:
        UsageError: when the recipe or the alias is wrong; nothing was watched.
    """
    if not arguments.interval > 0:
        raise UsageError("The interval is a number of seconds above 0.")
    alias = Alias.of(arguments.on, arguments.registry)
    opened.runs.read(arguments.recipe, wish.variables)
    trigger = Trigger(alias, opened.registry, opened.run)
    reports: list[RecipeReport] = []
    told = ""
    while True:
        try:
            found, problem = trigger.look(), ""
        except StudioError as error:
            found, problem = None, " ".join(filter(None, (error.message, error.hint)))
        if problem and problem != told:
            tell(f"studio: {problem}")
        told = problem
        if found is not None:
            tell(f"{alias} is version {found['version']}")
            report = opened.runs.run(arguments.recipe, replace(wish, trigger=found))
            reports.append(report)
            describe(report)
            if arguments.moves and len(reports) >= arguments.moves:
                if arguments.json:
                    print_json([one.to_json() for one in reports])
                return report.exit_code
            tell(f"{alias}: looks again every {arguments.interval:g} s")
        time.sleep(arguments.interval)
