"""``studio registry``: versions in registries outside the studio, and targets that follow them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

from studio.api import UsageError
from studio.cli.flags import add_verbs, given
from studio.cli.output import fail_job, megabytes, print_json, print_lines, table, tell
from studio.cli.session import add_step, run_step, workspace
from studio.registries.known import KnownRegistries
from studio.registries.watching import Watch, sentence
from studio.workspace import Event, JobMessage, Workspace

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
        alias="let an alias stand for a version",
        deploy="let a target serve the version that an alias stands for",
        watch="keep a target at the version that an alias stands for",
        add="give a registry's address a name",
        remove="forget a name",
        names="the names that were given",
        gc="remove bundles that nothing needs from the built-in registry",
    )
    for verb, step in _STEPS.items():
        add_step(verbs[verb], step)
    verbs["push"].add_argument("--to", dest="registry", metavar="REGISTRY", help="as --registry")
    verbs["watch"].add_argument(
        "--interval", type=float, default=_INTERVAL_S, metavar="S", help="seconds between looks"
    )
    verbs["watch"].add_argument(
        "--moves", type=int, default=0, metavar="N", help="end after N moves"
    )
    verbs["add"].add_argument("name")
    verbs["add"].add_argument("address", help="http://host:5000, without a login")
    verbs["remove"].add_argument("name")


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    if arguments.verb == "watch":
        return _watch(arguments)
    if arguments.verb in _STEPS:
        return run_step(_STEPS[arguments.verb], arguments, _DESCRIBE[arguments.verb])
    with workspace() as opened:
        known = KnownRegistries(opened.registry.folder)
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


def _watch(arguments: argparse.Namespace) -> int:
    if not arguments.interval > 0:
        raise UsageError("The interval is a number of seconds above 0.")
    with workspace() as opened:
        return _looks(opened, arguments)


def _looks(opened: Workspace, arguments: argparse.Namespace) -> int:
    """Look again and again; a failure is told, and waits for the next move of the alias."""
    options = given(arguments, opened.steps["registry-deploy"].options)
    watch, first = Watch(), True

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
        if arguments.moves and len(watch.moves) >= arguments.moves:
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
    return [f"{word} {megabytes(result['bytes'])}.", *table(("what", "size", "why"), rows)]


_DESCRIBE = {
    "gc": _collected,
    "push": _pushed,
    "pull": _pulled,
    "list": _listed,
    "alias": _aliased,
    "deploy": _deployed,
}
