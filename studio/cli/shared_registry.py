"""Verbs of ``studio registry`` for a registry that several studios share."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from studio.api import UsageError
from studio.cli.output import print_json, print_lines, print_text
from studio.documents.dataclass_json import to_json
from studio.documents.text_table import table
from studio.workspace.upkeep.shared_registry import (
    CopiedRegistry,
    SharedAddress,
    SharedRegistry,
    SharedState,
    roles,
)

LOCAL = "local"
"""The address of the studio's own files."""

VERBS = {
    "use": "use a shared registry on PostgreSQL from now on, or local files again",
    "copy": "copy the local registry into an empty shared one, or back",
    "log": "list the changes of a shared registry with their database roles",
    "roles": "print the SQL of the roles viewer, operator and approver",
}
_MOST = 50


def add(
    use: argparse.ArgumentParser, copy: argparse.ArgumentParser, log: argparse.ArgumentParser
) -> None:
    """Describe the arguments."""
    use.add_argument(
        "address",
        nargs="?",
        metavar="ADDRESS",
        help="postgresql://HOST/DATABASE, or local [default: show the one in use]",
    )
    _add_place(use)
    ways = copy.add_mutually_exclusive_group(required=True)
    ways.add_argument("--to", metavar="ADDRESS", help="empty shared registry to copy to")
    ways.add_argument("--from", dest="origin", metavar="ADDRESS", help="registry to copy from")
    _add_place(copy)
    log.add_argument("--last", type=int, default=_MOST, metavar="N", help="number of changes")


def _add_place(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--blobs",
        default="",
        metavar="PLACE",
        help="s3://BUCKET/PREFIX, oci://HOST/REPOSITORY, or a mounted folder",
    )
    parser.add_argument(
        "--s3-endpoint", default="", metavar="URL", help="S3 server [default: the profile's]"
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command of the verb."""
    return _RUN[arguments.verb](arguments)


def _address(database: str, arguments: argparse.Namespace) -> SharedAddress:
    if not arguments.blobs:
        raise UsageError(
            "A shared registry needs a place for its files.",
            hint="Add --blobs s3://BUCKET/PREFIX, or a folder that all studios have mounted.",
        )
    return SharedAddress.of(database, arguments.blobs, arguments.s3_endpoint)


def _use(arguments: argparse.Namespace) -> int:
    registry = SharedRegistry()
    if not arguments.address:
        state = registry.state()
    elif arguments.address == LOCAL:
        state = registry.use(None)
    else:
        state = registry.use(_address(arguments.address, arguments))
    if arguments.json:
        print_json(to_json(state))
    else:
        print_lines(_state_lines(state))
    return 0


def _state_lines(state: SharedState) -> list[str]:
    if not state.database:
        return ["The registry is in local files."]
    place = f"{state.blobs} at {state.endpoint}" if state.endpoint else state.blobs
    return [f"Registry: {state.database} (role {state.role})", f"Files: {place}"]


def _copy(arguments: argparse.Namespace) -> int:
    registry = SharedRegistry()
    if arguments.to:
        copied = registry.copy_to(_address(arguments.to, arguments))
    else:
        copied = registry.copy_from(_address(arguments.origin, arguments))
    if arguments.json:
        print_json(to_json(copied))
    else:
        print_lines(_copied_lines(copied))
    return 0


def _copied_lines(copied: CopiedRegistry) -> list[str]:
    lines = [f"Copied {copied.rows:,} rows and {copied.files:,} files or folders."]
    if copied.absent:
        lines.append(f"{copied.absent:,} were absent before, such as collected bundles.")
    return [*lines, f"Digest of both: {copied.digest}"]


def _log(arguments: argparse.Namespace) -> int:
    if arguments.last < 1:
        raise UsageError("The number of changes must be at least 1.")
    found = SharedRegistry().changes(arguments.last)
    if arguments.json:
        print_json(to_json(found))
    else:
        names = ("at", "role", "client", "change", "table", "row")
        rows = [(c.at, c.role, c.client, c.change, c.subject, c.key) for c in found]
        print_lines(table(names, rows))
    return 0


def _roles(arguments: argparse.Namespace) -> int:
    if arguments.json:
        print_json({"sql": roles()})
    else:
        print_text(roles())
    return 0


_RUN: dict[str, Callable[[argparse.Namespace], int]] = {
    "use": _use,
    "copy": _copy,
    "log": _log,
    "roles": _roles,
}
