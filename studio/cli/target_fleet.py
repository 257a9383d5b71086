"""The verbs of ``studio target`` for many targets: find, group, status; and the known boards."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import asdict

from studio.api import UsageError
from studio.cli.flags import option_values
from studio.cli.output import print_json, print_lines
from studio.cli.session import finish
from studio.deployment.results import AllowedSigners, FindResult, StatusResult, TargetStatus
from studio.documents.text_table import table
from studio.settings.boards import boards
from studio.workspace import Workspace


def find(opened: Workspace, arguments: argparse.Namespace) -> int:
    """Find boards and print them; nothing is added."""
    options = option_values(arguments, opened.steps["target-find"].form)
    return finish(opened.run("target-find", **options), arguments, _discovered_lines)


def group(opened: Workspace, arguments: argparse.Namespace) -> int:
    """List the groups, or make, change or dissolve one."""
    groups = opened.registry.groups
    if arguments.name:
        if not arguments.targets and not arguments.delete:
            raise UsageError(
                "No target was named for the group.",
                hint="Name its targets, or pass --delete to delete the group.",
            )
        opened.set_group(arguments.name, [] if arguments.delete else arguments.targets)
    rows = [{"group": name, "targets": members} for name, members in groups.all().items()]
    if arguments.json:
        print_json(rows)
    elif rows:
        print_lines(
            table(("group", "targets"), [(r["group"], ", ".join(r["targets"])) for r in rows])
        )
    else:
        print_lines(["There is no group yet."])
    return 0


def status(opened: Workspace, arguments: argparse.Namespace) -> int:
    """Poll the status of the named targets, or of all."""
    names = arguments.target or [target.name for target in opened.registry.targets()]
    options = {"target": names, **({"parallel": arguments.parallel} if arguments.parallel else {})}
    return finish(opened.run("target-look", **options), arguments, _status)


def show_boards(arguments: argparse.Namespace) -> int:
    """Print the catalogue."""
    if arguments.json:
        print_json([asdict(one) for one in boards()])
        return 0
    rows = [
        (
            one.id,
            one.title,
            one.usual.name,
            f"Python {one.usual.python}, glibc {one.usual.glibc}",
            one.usual.onnxruntime or "none",
        )
        for one in boards()
    ]
    print_lines(table(("kind", "board", "its usual system", "", "onnxruntime"), rows))
    return 0


VERBS: Mapping[str, Callable[[Workspace, argparse.Namespace], int]] = {
    "find": find,
    "group": group,
    "status": status,
}


def _discovered_lines(result: FindResult) -> list[str]:
    rows = [(one.name, one.url, one.text) for one in result.found]
    lines = table(("name", "address", ""), rows) if rows else ["No board was found."]
    lines += [f"{one.text} {one.hint}".strip() for one in result.problems]
    return [*lines, "Add one with: studio target add NAME ADDRESS"] if rows else lines


def _status(result: StatusResult) -> list[str]:
    names = ("target", "state", "release", "endpoint", "free disk", "heat", "takes releases of", "")
    return table(names, list(map(_status_row, result.targets)))


def _status_row(one: TargetStatus) -> tuple[str, ...]:
    free, heat = one.condition.disk_free_mb, one.condition.temperature_c
    return (
        one.target,
        one.state,
        f"v{one.version} {one.name}" if one.version else "",
        one.endpoint,
        f"{free:,} MB" if free else "",
        f"{heat:.0f} °C" if heat is not None else "",
        _takes(one.signers),
        one.text,
    )


def _takes(signers: AllowedSigners | None) -> str:
    if signers is None:  # it did not answer, or its platform decides
        return ""
    names = ", ".join(one.name for one in signers.keys)
    return (names or "signers that it does not tell") if signers.file else "everybody"
