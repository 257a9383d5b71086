"""``studio registry``: the built-in registry's upkeep, and versions in registries outside."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.cli import shared_registry
from studio.cli.flags import add_verbs, option_values
from studio.cli.output import fail_job, print_json, print_lines, print_note
from studio.cli.overwrite import add_force, confirm_overwrite
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.dataclass_json import to_json
from studio.documents.text_table import table
from studio.external_registries.alias_deploy import AliasWatcher
from studio.external_registries.saved_registries import SavedRegistries
from studio.settings import full_path
from studio.steps.overwrites import in_the_way
from studio.workspace import Event, JobMessage, Workspace
from studio.workspace.maintenance import Maintenance, RegistryCondition

_STEPS = {
    "push": "registry-push",
    "pull": "registry-pull",
    "list": "registry-list",
    "alias": "registry-alias",
    "deploy": "registry-deploy",
    "watch": "registry-deploy",
    "gc": "registry-gc",
}
_INTERVAL_S = 30.0


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        push="register a bundle as a new version",
        pull="pull a version into the local registry",
        list="list registered models, or the versions and history of one",
        alias="point an alias to a version",
        deploy="deploy the version an alias points to",
        watch="follow an alias and redeploy when it moves",
        add="save the address of a registry under a name",
        remove="remove a saved registry",
        names="list saved registries",
        gc="delete unused bundles from the local registry",
        backup="back up the local registry; runs automatically once a day",
        restore="restore the local registry from a backup",
        check="verify every file of the registry",
        **shared_registry.VERBS,
    )
    for verb, step in _STEPS.items():
        add_step(verbs[verb], step)
    _add_to_steps(*(verbs[verb] for verb in ("push", "watch")))
    _add_upkeep(*(verbs[verb] for verb in ("backup", "restore", "check")))
    shared_registry.add(*(verbs[verb] for verb in ("use", "copy", "log")))
    added, removed = (verbs[verb] for verb in ("add", "remove"))
    added.add_argument("name")
    added.add_argument("address", help="http://host:5000 or oci://HOST/PATH, without a login")
    removed.add_argument("name")


def _add_to_steps(push: argparse.ArgumentParser, watch: argparse.ArgumentParser) -> None:
    """Describe what a push and a watch take besides the options of their steps."""
    push.add_argument("--to", dest="registry", metavar="REGISTRY", help="same as --registry")
    watch.add_argument(
        "--interval",
        type=float,
        default=_INTERVAL_S,
        metavar="S",
        help="polling interval in seconds",
    )
    watch.add_argument(
        "--max-updates",
        type=int,
        default=0,
        metavar="N",
        help="exit after N updates",
    )


def _add_upkeep(
    backup: argparse.ArgumentParser,
    restore: argparse.ArgumentParser,
    check: argparse.ArgumentParser,
) -> None:
    backup.add_argument("--out", type=Path, metavar="FILE", help="backup file to write")
    add_force(backup)
    restore.add_argument(
        "copy",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="backup to restore [default: the newest intact one]",
    )
    restore.add_argument("--list", action="store_true", help="list backups and exit")
    check.add_argument(
        "--set-aside",
        action="store_true",
        help="move altered files out of the store so that they can be replaced",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the command of the verb."""
    if arguments.verb in shared_registry.VERBS:
        return shared_registry.run(arguments)
    if arguments.verb == "watch":
        return _watch(arguments)
    if arguments.verb in _UPKEEP:
        return _UPKEEP[arguments.verb](arguments)
    if arguments.verb in _STEPS:
        return run_named(_STEPS[arguments.verb], arguments)
    with workspace() as opened:
        known = SavedRegistries(opened.registry.folder)
        if arguments.verb == "add":
            known.add(arguments.name, arguments.address)
        elif arguments.verb == "remove":
            known.remove(arguments.name)
        names = known.all()
    if arguments.json:
        print_json(names)
    else:
        print_lines(table(("name", "address"), sorted(names.items())))
    return 0


def _back_up(arguments: argparse.Namespace) -> int:
    out = full_path(arguments.out) if arguments.out else None
    confirm_overwrite(in_the_way([out] if out else []), arguments)
    made = Maintenance().back_up(out)
    counts = f"Backed up {made.rows:,} rows, which refer to {made.blobs:,} folders of the store."
    return _print(arguments, made.to_json(), [counts, str(made.path)])


def _check(arguments: argparse.Namespace) -> int:
    found = Maintenance().check(aside=arguments.set_aside)
    lines = [f"{found.rows:,} rows and {found.blobs:,} folders of the store: no damage."]
    if found.restocked:
        lines.append(f"{found.restocked} that the shared store had lost were stored again.")
    _print(arguments, found.to_json(), lines if not found.damaged else _damage_lines(found))
    return 1 if found.damaged else 0


def _restore(arguments: argparse.Namespace) -> int:
    upkeep = Maintenance()
    if arguments.list:
        copies = upkeep.copies()
        listed = [
            {"path": str(one.path), "made": one.made.isoformat(), "kind": one.kind}
            for one in copies
        ]
        rows = [(f"{one.made:%Y-%m-%d %H:%M:%S}", one.kind, one.path) for one in copies]
        lines = table(("created (UTC)", "kind", "file"), rows) if rows else ["No backups yet."]
        return _print(arguments, listed, lines)
    done = upkeep.restore(arguments.copy)
    lines = [f"Registry restored from {done.source.name}: {done.condition.rows:,} rows."]
    if done.aside is not None:
        lines.append(f"Previous registry: {done.aside}")
    if done.condition.damaged:
        lines += _damage_lines(done.condition)
    aside = str(done.aside) if done.aside else None
    facts = {**done.condition.to_json(), "from": str(done.source), "aside": aside}
    return _print(arguments, facts, lines)


def _damage_lines(found: RegistryCondition) -> list[str]:
    """Return the damage and the steps to repair it."""
    lines = [*table(("damaged", "", "where"), [(d.name, d.why, d.path) for d in found.damaged]), ""]
    if any(one.path == str(found.path) for one in found.damaged):
        return [*lines, "Restore the newest intact backup with: studio registry restore"]
    if any(Path(one.path).exists() for one in found.damaged):
        lines.append("Move the altered files out first: studio registry check --set-aside")
    return [
        *lines,
        "Missing files come back when you use the model file again (studio package FILE)",
        "or import an export: studio versions import FILE",
    ]


def _print(arguments: argparse.Namespace, facts: Any, lines: list[str]) -> int:
    if arguments.json:
        print_json(facts)
    else:
        print_lines(lines)
    return 0


_UPKEEP = {"backup": _back_up, "check": _check, "restore": _restore}


def _watch(arguments: argparse.Namespace) -> int:
    if not arguments.interval > 0:
        raise UsageError("The interval must be a number of seconds above 0.")
    with workspace() as opened:
        return _poll(opened, arguments)


def _poll(opened: Workspace, arguments: argparse.Namespace) -> int:
    """Poll an alias; after a failure, wait until the alias moves again."""
    options = option_values(arguments, opened.steps["registry-deploy"].form)
    watch, first = AliasWatcher(), True

    def listen(event: Event) -> None:
        if isinstance(event, JobMessage):
            watch.on_message(event.name, event.values)

    opened.events.subscribe(listen)
    while True:
        outcome = opened.run("registry-deploy", **{**options, "skip_version": watch.acted_on})
        line = watch.judge(outcome)
        # Only the first failure ends the command; later ones may be temporary.
        if first and not outcome.ok:
            return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
        first = False
        if line:
            print_note(line)
        if arguments.max_updates and len(watch.moves) >= arguments.max_updates:
            if arguments.json:
                print_json(to_json(watch.moves))
            return 0
        time.sleep(arguments.interval)
