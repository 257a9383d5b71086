"""``studio plugins``: what is installed, what each may do, and the kit for writing one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines, print_note
from studio.cli.session import workspace
from studio.cli.step_commands import run_named
from studio.documents.text_table import table
from studio.plugin_host import Plugin
from studio.plugin_host.scaffold import KINDS, make_plugin

CHECK = "plugins-check"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        list="list plugins and their capabilities",
        allow="allow a plugin, its files and permissions",
        disable="disable a plugin",
        new="create a plugin from a template",
        check="check a plugin against its contracts",
    )
    verbs["allow"].add_argument("id")
    verbs["allow"].add_argument(
        "--digest", metavar="SHA256", help="allow only if the files have this digest"
    )
    verbs["disable"].add_argument("id")
    new = verbs["new"]
    new.add_argument("name", help="package name in lower case, such as my_board")
    new.add_argument("--kind", required=True, choices=KINDS, metavar="|".join(KINDS))
    new.add_argument("--out", type=Path, help="folder of the plugin [default: ./NAME]")
    verbs["check"].add_argument("folder", help="folder with a plugin.toml")


def run(arguments: argparse.Namespace) -> int:
    """Run the command of the verb."""
    verb = {"list": _list, "allow": _allow, "disable": _disable, "new": _new, "check": _check}
    return verb[arguments.verb](arguments)


def _list(arguments: argparse.Namespace) -> int:
    with workspace() as opened:
        plugins = opened.plugins.plugins
    if arguments.json:
        print_json({"plugins": [_document(plugin) for plugin in plugins]})
    else:
        rows = [(p.id, _version(p), p.word, p.reason or _offers(p)) for p in plugins]
        print_lines(table(("plugin", "version", "state", ""), rows))
        for plugin in plugins:
            for note in plugin.manifest.notes if plugin.manifest else ():
                print_note(f"{plugin.id}: {note}")
    return 0


def _allow(arguments: argparse.Namespace) -> int:
    with workspace() as opened:
        seen = opened.plugins.plugin(arguments.id)
        opened.allow_plugin(seen.id, arguments.digest or seen.digest)
        plugin = opened.plugins.plugin(seen.id)
    return _report(plugin, arguments, f"{plugin.id} {_version(plugin)} may use {_may(plugin)}.")


def _disable(arguments: argparse.Namespace) -> int:
    with workspace() as opened:
        opened.forbid_plugin(arguments.id)
        plugin = opened.plugins.plugin(arguments.id)
    return _report(plugin, arguments, f"{plugin.id} disabled.")


def _report(plugin: Plugin, arguments: argparse.Namespace, sentence: str) -> int:
    if arguments.json:
        print_json(_document(plugin))
    else:
        print_lines([sentence])
        if plugin.state.value != "available" and plugin.reason and arguments.verb == "allow":
            print_note(f"It is still {plugin.state.value}: {plugin.reason}")
    return 0


def _new(arguments: argparse.Namespace) -> int:
    folder = arguments.out or Path(arguments.name)
    files = make_plugin(arguments.name, arguments.kind, folder)
    if arguments.json:
        print_json({"name": arguments.name, "folder": str(folder), "files": files})
    else:
        print_lines([str(folder / name) for name in files])
        print_note(f"Next: studio plugins check {folder}")
    return 0


def _check(arguments: argparse.Namespace) -> int:
    return run_named(CHECK, arguments)


def _document(plugin: Plugin) -> dict[str, Any]:
    permissions = plugin.manifest.permissions if plugin.manifest else frozenset()
    return {
        "id": plugin.id,
        "version": _version(plugin),
        "state": plugin.state.value,
        "reason": plugin.reason,
        "notes": list(plugin.manifest.notes if plugin.manifest else ()),
        "capabilities": [f"{c.extension.value}/{c.id}" for c in plugin.capabilities],
        "permissions": sorted(permission.value for permission in permissions),
        "built_in": plugin.built_in,
        "digest": plugin.digest,
        "folder": str(plugin.folder),
    }


def _version(plugin: Plugin) -> str:
    return plugin.manifest.version if plugin.manifest else ""


def _offers(plugin: Plugin) -> str:
    return ", ".join(capability.title for capability in plugin.capabilities)


def _may(plugin: Plugin) -> str:
    permissions = plugin.manifest.permissions if plugin.manifest else frozenset()
    return ", ".join(sorted(permission.value for permission in permissions)) or "nothing"
