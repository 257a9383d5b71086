"""``studio target``: places to deploy to."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from studio.api import TargetSpec
from studio.cli import target_fleet, target_listing
from studio.cli.flags import add_verbs, hide_former
from studio.cli.output import print_json, print_lines, print_note, prompt
from studio.cli.session import add_step, finish, workspace
from studio.deployment.results import ResourcesResult
from studio.documents.text_table import table
from studio.targets.platforms import parse_pairs
from studio.targets.texts import facts
from studio.workspace import Workspace


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        add="add and probe a target",
        list="the targets that were added",
        find="discover boards in ~/.ssh/config, by mDNS or in a subnet",
        group="create, list or delete a group of targets (@NAME)",
        probe="probe a target",
        status="show the status of several targets",
        boards="list supported boards",
        remove="remove a target",
        resources="list what exists on a target because the studio made it",
    )
    _describe_add(verbs["add"])
    _describe_group(verbs["group"])
    add_step(verbs["find"], "target-find")
    status = verbs["status"]
    status.add_argument("target", nargs="*", metavar="NAME|@GROUP", help="[default: all]")
    status.add_argument("--parallel", metavar="N", help="targets at a time [default: 16]")
    for verb in ("probe", "remove", "resources"):
        verbs[verb].add_argument("name")


def _describe_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument("url", help="ssh://user@host:port, docker:NAME or what a plugin adds")
    parser.add_argument("--key-file", help="private key to log in with [default: the agent's keys]")
    parser.add_argument("--root", help="folder for the releases on the target")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the target's kind (studio plugins list names them)",
    )
    parser.add_argument(
        "--accept-host-key",
        metavar="SHA256:...",
        help="confirm the target's host key by its fingerprint, as read on the target itself",
    )


def _describe_group(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="without it, all groups are listed")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    hide_former(
        parser.add_argument(
            "--delete",
            "--dissolve",
            action="store_true",
            help="delete the group and keep its targets",
        ),
        "--dissolve",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command of the verb."""
    if arguments.verb == "boards":
        return target_fleet.show_boards(arguments)
    with workspace() as opened:
        if arguments.verb in target_fleet.VERBS:
            return target_fleet.VERBS[arguments.verb](opened, arguments)
        if arguments.verb == "add":
            return _add(opened, arguments)
        if arguments.verb == "probe":
            outcome = opened.run("target-probe", target=arguments.name)
            return finish(outcome, arguments, facts)
        if arguments.verb == "resources":
            return finish(opened.run("resources", target=arguments.name), arguments, _resources)
        if arguments.verb == "remove":
            opened.remove_target(arguments.name)
            print_note(f"Removed {arguments.name}. Its releases keep running.")
            if arguments.json:
                print_json({"name": arguments.name})
            return 0
        return _list(opened, arguments)


def _add(opened: Workspace, arguments: argparse.Namespace) -> int:
    before = {target.name for target in opened.registry.targets()}
    settings = {
        name: value
        for name, value in (("key_file", arguments.key_file), ("root", arguments.root))
        if value
    } | parse_pairs(arguments.set)
    target = TargetSpec(arguments.name, arguments.url, "", settings)
    opened.add_target(target)
    outcome = opened.run("target-probe", target=target.name)
    key, fingerprint = (str(outcome.fields.get(name)) for name in ("key", "fingerprint"))
    if outcome.error == "UnknownHost" and _confirmed(fingerprint, arguments):
        opened.add_target(replace(target, host_key=key))
        outcome = opened.run("target-probe", target=target.name)
    # A failed first contact leaves no new target; an existing one stays.
    if not outcome.ok and target.name not in before:
        opened.remove_target(target.name)
    return finish(outcome, arguments, facts)


def _confirmed(fingerprint: str, arguments: argparse.Namespace) -> bool:
    """Return whether a person vouches for the key: by the flag, or by an answer at the terminal."""
    if arguments.accept_host_key is not None:
        return bool(arguments.accept_host_key == fingerprint)
    # Without a terminal no person can compare the key, so it is not trusted.
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print_note(f"{arguments.url} presents the host key {fingerprint}.")
    print_note(
        "Compare it with the board's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)."
    )
    return prompt("Is it the same? Type yes to trust it:") == "yes"


def _resources(result: ResourcesResult) -> list[str]:
    rows = [
        (one.kind, one.name, "running" if one.running else "", one.since)
        for one in result.resources
    ]
    return table(("kind", "name", "", "since"), rows) if rows else ["Nothing is left there."]


def _list(opened: Workspace, arguments: argparse.Namespace) -> int:
    rows = target_listing.listed(opened)
    if arguments.json:
        print_json(rows)
    else:
        print_lines(table(target_listing.COLUMNS, [target_listing.line(row) for row in rows]))
    return 0
