"""``studio registry``: the built-in registry's upkeep, and versions in registries outside."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.cli.flags import add_verbs, given, hide_former
from studio.cli.output import fail_job, print_json, print_lines, tell
from studio.cli.overwrite import add_force, ask_for
from studio.cli.session import add_step, run_step, workspace
from studio.documents.text_table import megabytes, table
from studio.external_registries.alias_deploy import AliasWatcher, sentence
from studio.external_registries.saved_registries import SavedRegistries
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
        push="register a model's bundle as a new version",
        pull="fetch a version into the built-in registry",
        list="the registered models, or one model's versions and history",
        alias="point an alias to a version",
        deploy="deploy the version an alias points to",
        watch="follow an alias and redeploy when it moves",
        add="give a registry's address a name",
        remove="remove a saved registry",
        names="the names that were given",
        gc="delete unused bundles from the local registry",
        backup="copy the built-in registry's database; done by itself once a day",
        restore="put a copy in the place of the built-in registry's database",
        check="look whether the built-in registry is whole, every file of it",
    )
    for verb, step in _STEPS.items():
        add_step(verbs[verb], step)
    verbs["push"].add_argument("--to", dest="registry", metavar="REGISTRY", help="as --registry")
    verbs["watch"].add_argument(
        "--interval",
        type=float,
        default=_INTERVAL_S,
        metavar="S",
        help="polling interval in seconds",
    )
    hide_former(
        verbs["watch"].add_argument(
            "--max-updates", "--moves", type=int, default=0, metavar="N", help="end after N updates"
        ),
        "--moves",
    )
    verbs["add"].add_argument("name")
    verbs["add"].add_argument("address", help="http://host:5000, without a login")
    verbs["remove"].add_argument("name")
    verbs["backup"].add_argument("--out", type=Path, metavar="FILE", help="a file of your own")
    add_force(verbs["backup"])
    verbs["restore"].add_argument(
        "copy", nargs="?", type=Path, metavar="FILE", help="by default the newest whole copy"
    )
    verbs["restore"].add_argument("--list", action="store_true", help="only list the copies")
    verbs["check"].add_argument(
        "--set-aside",
        action="store_true",
        help="move altered files out of the store, so that whole ones can take their place",
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    if arguments.verb == "watch":
        return _watch(arguments)
    if arguments.verb in _UPKEEP:
        return _UPKEEP[arguments.verb](arguments)
    if arguments.verb in _STEPS:
        return run_step(_STEPS[arguments.verb], arguments, _DESCRIBE[arguments.verb])
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
    out = arguments.out.absolute() if arguments.out else None
    ask_for(in_the_way([out] if out else []), arguments)
    made = Maintenance().back_up(out)
    said = f"Copied {made.rows:,} rows; they refer to {made.blobs:,} folders of the store."
    return _told(arguments, made.to_json(), [said, str(made.path)])


def _check(arguments: argparse.Namespace) -> int:
    found = Maintenance().check(aside=arguments.set_aside)
    lines = [f"{found.rows:,} rows and {found.blobs:,} folders of the store: no damage."]
    _told(arguments, found.to_json(), lines if not found.damaged else _damage_lines(found))
    return 1 if found.damaged else 0


def _restore(arguments: argparse.Namespace) -> int:
    upkeep = Maintenance()
    if arguments.list:
        copies = [
            {"path": str(one.path), "made": one.made.isoformat(), "kind": one.kind}
            for one in upkeep.copies()
        ]
        rows = [(one["made"][:19].replace("T", " "), one["kind"], one["path"]) for one in copies]
        lines = table(("made (UTC)", "kind", "file"), rows) if rows else ["There is no copy yet."]
        return _told(arguments, copies, lines)
    done = upkeep.restore(arguments.copy)
    lines = [f"The registry is again as in {done.source.name}: {done.condition.rows:,} rows."]
    if done.aside is not None:
        lines.append(f"What was there before is kept in {done.aside}")
    if done.condition.damaged:
        lines += _damage_lines(done.condition)
    aside = str(done.aside) if done.aside else None
    facts = {**done.condition.to_json(), "from": str(done.source), "aside": aside}
    return _told(arguments, facts, lines)


def _damage_lines(found: RegistryCondition) -> list[str]:
    """What is damaged, and what to do about it."""
    lines = [*table(("damaged", "", "where"), [(d.name, d.why, d.path) for d in found.damaged]), ""]
    if any(one.path == str(found.path) for one in found.damaged):
        return [*lines, "Go back to the newest whole copy with: studio registry restore"]
    if any(Path(one.path).exists() for one in found.damaged):
        lines.append("Move the altered files away first: studio registry check --set-aside")
    return [
        *lines,
        "What is missing comes back when the model's file is used again (studio package FILE),",
        "or with what was exported: studio versions import FILE",
    ]


def _told(arguments: argparse.Namespace, facts: Any, lines: list[str]) -> int:
    if arguments.json:
        print_json(facts)
    else:
        print_lines(lines)
    return 0


_UPKEEP = {"backup": _back_up, "check": _check, "restore": _restore}


def _watch(arguments: argparse.Namespace) -> int:
    if not arguments.interval > 0:
        raise UsageError("The interval is a number of seconds above 0.")
    with workspace() as opened:
        return _looks(opened, arguments)


def _looks(opened: Workspace, arguments: argparse.Namespace) -> int:
    """Look again and again; a failure is told, and waits for the next move of the alias."""
    options = given(arguments, opened.steps["registry-deploy"].form)
    watch, first = AliasWatcher(), True

    def listen(event: Event) -> None:
        if isinstance(event, JobMessage):
            watch.hear(event.name, event.values)

    opened.events.subscribe(listen)
    while True:
        outcome = opened.run("registry-deploy", **{**options, "unless": watch.acted_on})
        line = watch.judge(outcome)
        if first and not outcome.ok:
            return fail_job(outcome, as_json=arguments.json, debug=arguments.debug)
        first = False
        if line:
            tell(line)
        if arguments.max_updates and len(watch.moves) >= arguments.max_updates:
            if arguments.json:
                print_json(list(watch.moves))
            return 0
        time.sleep(arguments.interval)


def _pushed(result: Mapping[str, Any]) -> list[str]:
    aliases = f", {', '.join(result['aliases'])}" if result["aliases"] else ""
    return [
        f"{result['name']} version {result['version']}{aliases} in {result['registry']}",
        f"Its run is {result['run']}",
    ]


def _pulled(result: Mapping[str, Any]) -> list[str]:
    return [
        f"{result['name']} version {result['version']} of {result['registry']} is here as "
        f"{result['model']}:{result['variant_name']}, version {result['number']}",
        str(result["bundle"]),
    ]


def _listed(result: Mapping[str, Any]) -> list[str]:
    if "models" in result:
        rows = [(m["name"], m["latest"], _aliases(m["aliases"])) for m in result["models"]]
        return table(("model", "latest", "aliases"), rows) if rows else ["No model is registered."]
    versions = [
        (v["version"], ", ".join(v["aliases"]), v["created"][:19], v["release"][:12])
        for v in result["versions"]
    ]
    events = [(e["at"][:19], e["version"], e["what"], e["text"]) for e in result["history"]]
    return [
        *table(("version", "aliases", "registered", "release"), versions),
        "",
        *table(("at", "version", "what", ""), events),
    ]


def _aliases(aliases: Mapping[str, str]) -> str:
    return ", ".join(f"{alias} {version}" for alias, version in sorted(aliases.items()))


def _aliased(result: Mapping[str, Any]) -> list[str]:
    before = f", before {result['from']}" if result["from"] else ""
    what = f"is version {result['to']}" if result["to"] else "is gone"
    return [f"{result['name']}@{result['alias']} {what}{before}"]


def _deployed(result: Mapping[str, Any]) -> list[str]:
    return [sentence(result)]


def _collected(result: Mapping[str, Any]) -> list[str]:
    word = "Would remove" if result["dry_run"] else "Removed"
    rows = [(one["name"], megabytes(one["bytes"]), "removed") for one in result["versions"]]
    rows += [(one["path"][:12], megabytes(one["bytes"]), "removed") for one in result["orphans"]]
    rows += [(one["name"], "", one["because"]) for one in result["kept"]]
    spared = []
    if result.get("spared"):
        spared.append(
            f"{result['spared']} folders are not known since the registry was restored; they stay "
            "(--forgotten takes them, too)."
        )
    return [f"{word} {megabytes(result['bytes'])}.", *spared, *table(("what", "size", "why"), rows)]


_DESCRIBE = {
    "gc": _collected,
    "push": _pushed,
    "pull": _pulled,
    "list": _listed,
    "alias": _aliased,
    "deploy": _deployed,
}
