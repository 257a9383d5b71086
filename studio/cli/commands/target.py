"""``studio target``: places to deploy to."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace

from studio.api import TargetSpec, UsageError
from studio.cli.flags import add_verbs, option_values
from studio.cli.output import has_terminal, print_json, print_lines, print_note, prompt
from studio.cli.session import add_step, finish, workspace
from studio.cli.step_commands import run_named
from studio.deployment import texts
from studio.documents.text_table import table
from studio.registry.groups import expand
from studio.registry.labels import APPROVAL, REQUIRED, parse_labels
from studio.settings.boards import boards
from studio.targets.protection import MARK
from studio.targets.texts import facts
from studio.workspace import Workspace, target_listing


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        add="add and probe a target",
        list="list targets",
        find="discover boards in ~/.ssh/config, by mDNS or in a subnet",
        group="create, list or delete a group of targets (@NAME)",
        label="set, list or remove labels of targets (@NAME=VALUE)",
        probe="probe a target",
        status="show the status of several targets",
        pull="let a board poll a hawkBit-compatible server for releases",
        boards="list supported boards",
        remove="remove a target",
        resources="list the resources that the studio created on a target",
    )
    _describe_add(verbs["add"])
    _describe_group(verbs["group"])
    _describe_label(verbs["label"])
    add_step(verbs["find"], "target-find")
    add_step(verbs["pull"], "target-pull")
    status = verbs["status"]
    status.add_argument("target", nargs="*", metavar="NAME|@GROUP", help="[default: all]")
    status.add_argument("--parallel", metavar="N", help="targets checked in parallel [default: 16]")
    for verb in ("probe", "remove", "resources"):
        verbs[verb].add_argument("name")


def _describe_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")
    parser.add_argument(
        "url", help="ssh://user@host:port, docker:NAME or another address of a plugin"
    )
    parser.add_argument("--key-file", help="private key file [default: keys of the SSH agent]")
    parser.add_argument("--root", help="folder for releases on the target")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="setting of this kind of target (repeatable; see studio plugins list)",
    )
    parser.add_argument(
        "--accept-host-key",
        metavar="SHA256:...",
        help="fingerprint of the host key, as shown on the target",
    )


def _describe_group(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="group name [default: list all groups]")
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument(
        "--delete",
        action="store_true",
        help="delete the group and keep its targets",
    )


def _describe_label(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="TARGET|LABEL=VALUE",
        help="targets and their labels; LABEL= removes one [default: list all]",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command of the verb."""
    if arguments.verb == "boards":
        return _show_boards(arguments)
    if arguments.verb == "pull":
        return run_named("target-pull", arguments)
    with workspace() as opened:
        if arguments.verb in _VERBS:
            return _VERBS[arguments.verb](opened, arguments)
        if arguments.verb == "add":
            return _add(opened, arguments)
        if arguments.verb == "probe":
            outcome = opened.run("target-probe", target=arguments.name)
            return finish(outcome, arguments, facts)
        if arguments.verb == "resources":
            outcome = opened.run("resources", target=arguments.name)
            return finish(outcome, arguments, texts.resources)
        if arguments.verb == "remove":
            opened.remove_target(arguments.name)
            print_note(f"Removed {arguments.name}. Its releases keep running.")
            if arguments.json:
                print_json({"name": arguments.name})
            return 0
        return _list(opened, arguments)


def _add(opened: Workspace, arguments: argparse.Namespace) -> int:
    from studio.targets.platforms import parse_pairs

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
    if opened.registry.labels.all().get(target.name, {}).get(APPROVAL) == REQUIRED:
        print_note(f"{target.name} is a protected board: only an approved plan changes it.")
    return finish(outcome, arguments, facts)


def _confirmed(fingerprint: str, arguments: argparse.Namespace) -> bool:
    """Return whether a person vouches for the key: by the flag, or by an answer at the terminal."""
    if arguments.accept_host_key is not None:
        return bool(arguments.accept_host_key == fingerprint)
    # Without a terminal no person can compare the key, so it is not trusted.
    if not has_terminal():
        return False
    print_note(f"{arguments.url} presents the host key {fingerprint}.")
    print_note(
        "Compare it with the board's own (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub)."
    )
    return prompt("Do they match? Type yes to trust the key:") == "yes"


def _list(opened: Workspace, arguments: argparse.Namespace) -> int:
    rows = target_listing.listed(opened)
    if arguments.json:
        print_json(rows)
    else:
        print_lines(table(target_listing.COLUMNS, [target_listing.line(row) for row in rows]))
    return 0


def _find(opened: Workspace, arguments: argparse.Namespace) -> int:
    """Find boards and print them; nothing is added."""
    options = option_values(arguments, opened.steps["target-find"].form)
    return finish(opened.run("target-find", **options), arguments, texts.found_boards)


def _group(opened: Workspace, arguments: argparse.Namespace) -> int:
    """List the groups, or make, change or dissolve one."""
    groups = opened.registry.groups
    if arguments.name:
        if not arguments.targets and not arguments.delete:
            raise UsageError(
                "Missing targets for the group.",
                hint="Name the targets, or pass --delete to delete the group.",
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
        print_lines(["No groups yet."])
    return 0


def _label(opened: Workspace, arguments: argparse.Namespace) -> int:
    """List the labels, or change those of some targets."""
    targets = [word for word in arguments.words if "=" not in word or word.startswith("@")]
    changes = parse_labels([word for word in arguments.words if word not in targets])
    registry = opened.registry
    if changes and not targets:
        raise UsageError("Missing targets for the labels.", hint="Name them before the labels.")
    chosen = expand(targets, registry.groups, registry.labels)
    for target in chosen if changes else ():
        registry.labels.change(target, changes)
        if changes.get(APPROVAL) == REQUIRED:
            _mark(opened, target)
        elif APPROVAL in changes and opened.registry.facts(target).get("is_marked"):
            print_note(f"{target} keeps its mark until it is deleted there: ~/{MARK}")
    found = registry.labels.all()
    if chosen:
        found = {name: found.get(name, {}) for name in chosen}
    if arguments.json:
        print_json([{"target": name, "labels": labels} for name, labels in found.items()])
        return 0
    rows = [
        (name, " ".join(f"{key}={value}" for key, value in labels.items()))
        for name, labels in found.items()
    ]
    print_lines(table(("target", "labels"), rows) if rows else ["No labels yet."])
    return 0


def _mark(opened: Workspace, target: str) -> None:
    """Connect to a board that was protected, which gets its mark from that."""
    from studio.targets.connect import scheme_of

    if scheme_of(opened.registry.target(target)) == "ssh":
        outcome = opened.run("target-probe", target=target)
        if not outcome.ok:
            print_note(f"{target} gets its mark with the next connection: {outcome.sentence}")


def _status(opened: Workspace, arguments: argparse.Namespace) -> int:
    """Ask targets how they are; all of them when none is named."""
    names = arguments.target or [target.name for target in opened.registry.targets()]
    options = {"target": names, **({"parallel": arguments.parallel} if arguments.parallel else {})}
    return finish(opened.run("target-look", **options), arguments, texts.status_table)


def _show_boards(arguments: argparse.Namespace) -> int:
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
    print_lines(table(("kind", "board", "default system", "", "onnxruntime"), rows))
    return 0


_VERBS: Mapping[str, Callable[[Workspace, argparse.Namespace], int]] = {
    "find": _find,
    "group": _group,
    "label": _label,
    "status": _status,
}
