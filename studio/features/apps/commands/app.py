"""``studio app``: apps made, checked, run, tested, and given variables on a target."""

from __future__ import annotations

import argparse
import contextlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from studio.api import UsageError
from studio.cli.flags import add_verbs
from studio.cli.session import add_step, finish, workspace
from studio.cli.step_commands import run_named
from studio.jobs.object_names import load

_VERBS = {
    "new": "create the folder of an app",
    "check": "check the graph and files of an app",
    "run": "run an app on this computer",
    "test": "replay recordings and compare the events with known ones",
}


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    text = "list, set or unset the variables of the app on a target"
    verbs = add_verbs(parser, **_VERBS, variables=text)
    for name in _VERBS:
        add_step(verbs[name], f"app-{name}")
    _describe_variables(verbs["variables"])


def _describe_variables(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("target", metavar="TARGET", help="name of the target")
    parser.add_argument(
        "value", nargs="*", metavar="NAME=VALUE", help="value of a variable [default: list all]"
    )
    parser.add_argument(
        "--file", metavar="FILE", help="file with a line NAME=VALUE for each; for passwords"
    )
    parser.add_argument(
        "--unset",
        action="append",
        default=[],
        metavar="NAME",
        help="variable that loses its value on the target (repeatable)",
    )
    parser.add_argument(
        "--ahead",
        action="store_true",
        help="take variables that only the next version of the app declares",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the step of the verb."""
    if arguments.verb == "variables":
        return _variables(arguments)
    return run_named(f"app-{arguments.verb}", arguments)


def _variables(arguments: argparse.Namespace) -> int:
    """List the variables of a target, or change them."""
    if arguments.value and arguments.file:
        raise UsageError("NAME=VALUE cannot be combined with --file.")
    changes = bool(arguments.value or arguments.file or arguments.unset)
    name = "app-set-variables" if changes else "app-variables"
    with workspace() as opened, _file_of(arguments.value) as written:
        options: dict[str, object] = {"target": arguments.target}
        if changes:
            file = arguments.file or written
            options.update(unset=arguments.unset, ahead=arguments.ahead)
            options.update({"file": file} if file else {})
        outcome = opened.run(name, **options)
        step = opened.steps[name]
    return finish(outcome, arguments, load(step.texts))


@contextlib.contextmanager
def _file_of(values: Sequence[str]) -> Iterator[str]:
    """Write values into a private file, as options of steps are recorded; empty without values."""
    if not values:
        yield ""
        return
    if any("\n" in one or "\r" in one for one in values):
        raise UsageError("The value of a variable is one line.")
    with tempfile.TemporaryDirectory(prefix="edgewright-") as folder:
        path = Path(folder) / "variables"
        with open(path, "w", encoding="utf-8", opener=_private) as file:
            file.writelines(one + "\n" for one in values)
        yield str(path)


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
