"""``studio target``: places to deploy to."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from studio.api import TargetSpec
from studio.cli import target_fleet, target_listing
from studio.cli.flags import add_verbs, hide_former
from studio.cli.output import ask, fail_job, print_json, print_lines, tell
from studio.cli.session import add_step, finish, workspace
from studio.deployment.results import ResourcesResult
from studio.documents.text_table import table
from studio.jobs import JobOutcome
from studio.targets.platforms import parse_pairs
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
    new = verbs["add"]
    new.add_argument("name")
    new.add_argument("url", help="ssh://user@host:port, docker:NAME or what a plugin adds")
    new.add_argument("--key-file", help="private key to log in with [default: the agent's keys]")
    new.add_argument("--root", help="folder for the releases on the target")
    new.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of the target's kind (studio plugins list names them)",
    )
    new.add_argument(
        "--accept-host-key",
        metavar="SHA256:...",
        help="confirm the target's host key by its fingerprint, as read on the target itself",
    )
    verbs["group"].add_argument("name", nargs="?", help="without it, all groups are listed")
    verbs["group"].add_argument("targets", nargs="*", metavar="TARGET")
    hide_former(
        verbs["group"].add_argument(
            "--delete",
            "--dissolve",
            action="store_true",
            help="delete the group and keep its targets",
        ),
        "--dissolve",
    )
    add_step(verbs["find"], "target-find")
    verbs["status"].add_argument("target", nargs="*", metavar="NAME|@GROUP", help="[default: all]")
    verbs["status"].add_argument("--parallel", metavar="N", help="targets at a time [default: 16]")
    verbs["probe"].add_argument("name")
    verbs["remove"].add_argument("name")
    verbs["resources"].add_argument("name")


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    if arguments.verb == "boards":
        return target_fleet.show_boards(arguments)
    with workspace() as opened:
        if arguments.verb in target_fleet.VERBS:
            return target_fleet.VERBS[arguments.verb](opened, arguments)
        if arguments.verb == "add":
            return _add(opened, arguments)
        if arguments.verb == "probe":
            return _show(opened.run("target-probe", target=arguments.name), arguments)
        if arguments.verb == "resources":
            return finish(opened.run("resources", target=arguments.name), arguments, _resources)
        if arguments.verb == "remove":
            opened.remove_target(arguments.name)
            tell(f"Removed {arguments.name}. Its releases keep running.")
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
    if outcome.error == "UnknownHost" and _confirmed(outcome.fields, arguments):
        opened.add_target(replace(target, host_key=str(outcome.fields["key"])))
        outcome = opened.run("target-probe", target=target.name)
    if not outcome.ok and target.name not in before:
        opened.remove_target(target.name)
    return _show(outcome, arguments)


def _confirmed(fields: Mapping[str, Any], arguments: argparse.Namespace) -> bool:
    """Whether a person vouches for the key: by the flag, or by an answer at the terminal."""
    fingerprint = fields["fingerprint"]
    if arguments.accept_host_key is not None:
        return bool(arguments.accept_host_key == fingerprint)
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    tell(f"{arguments.url} presents the host key {fingerprint}.")
    tell("Compare it with the board's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub).")
    return ask("Is it the same? Type yes to trust it:") == "yes"


def _show(outcome: JobOutcome, arguments: argparse.Namespace) -> int:
    if not outcome.ok:
        return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
    if arguments.json:
        print_json(outcome.result)
        return 0
    print_lines(_facts(outcome.result))
    return 0


def _facts(facts: Mapping[str, Any]) -> list[str]:
    head = f"{facts['name']}  {facts['url']}"
    if facts.get("who"):
        return [head, f"{facts['os']}: {facts['where']}, as {facts['who']}"]
    return [
        head,
        f"{facts['os']}, {facts['arch']}, Python {facts['python'] or 'missing'}",
        f"{facts['memory_mb']:,} MB memory, {facts['disk_free_mb']:,} MB disk free",
        "runtimes: " + (", ".join(f"{k} {v}" for k, v in facts["runtimes"].items()) or "none yet"),
        *_more(facts),
    ]


def _more(facts: Mapping[str, Any]) -> list[str]:
    """What not every target has."""
    pairs = (
        ("kind", facts.get("board_id")),
        ("board", ", ".join(filter(None, (facts.get("board"), facts.get("image"))))),
        ("processor", ", ".join(filter(None, (facts.get("cpu"), *facts.get("features", ()))))),
        ("accelerators", ", ".join(facts.get("accelerators", ()))),
        ("libraries", ", ".join(f"{k} {v}" for k, v in facts.get("libraries", {}).items())),
        ("cameras", ", ".join(facts.get("cameras", ()))),
        ("power", facts.get("power_mode")),
        ("temperature", f"{heat:.0f} °C" if (heat := facts.get("temperature_c")) else ""),
        ("warning", "; ".join(facts.get("notes", ()))),
    )
    return [f"{name}: {text}" for name, text in pairs if text]


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
