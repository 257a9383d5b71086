"""``studio run RECIPE --on MODEL@ALIAS``: the recipe for each version that an alias moves to."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import replace

from studio.api import StudioError, UsageError
from studio.pipelines.outcome import RecipeReport
from studio.pipelines.triggers import Alias, Trigger
from studio.workspace import RunWish, Workspace


def follow(
    opened: Workspace,
    arguments: argparse.Namespace,
    wish: RunWish,
    finish: Callable[[RecipeReport], int],
) -> int:
    """Look again and again; each new version starts the recipe. A failure is told, and waits.

    Raises:
        UsageError: when the recipe or the alias is wrong; nothing was watched.
    """
    if not arguments.interval > 0:
        raise UsageError("The interval is a number of seconds above 0.")
    alias = Alias.of(arguments.on, arguments.registry)
    opened.runs.read(arguments.recipe, wish.variables)
    trigger = Trigger(alias, opened.registry, opened.run)
    runs, code, told = 0, 0, ""
    while True:
        try:
            found, problem = trigger.look(), ""
        except StudioError as error:
            found, problem = None, " ".join(filter(None, (error.message, error.hint)))
        if problem and problem != told:
            print(f"studio: {problem}", file=sys.stderr, flush=True)
        told = problem
        if found is not None:
            print(f"{alias} is version {found['version']}", file=sys.stderr, flush=True)
            code = finish(opened.runs.run(arguments.recipe, replace(wish, trigger=found)))
            runs += 1
            if arguments.moves and runs >= arguments.moves:
                return code
        time.sleep(arguments.interval)
