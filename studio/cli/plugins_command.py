"""``studio plugins``: what is installed, what it offers, and why something is not available."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from studio.api import UsageError
from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines, table
from studio.cli.session import workspace
from studio.plugin_host import ManifestError, Plugin, read_manifest


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(parser, list="the plugins that were found", check="check a plugin's folder")
    verbs["check"].add_argument("folder", type=Path, help="a folder with a plugin.toml")


def run(arguments: argparse.Namespace) -> int:
    """List or check."""
    if arguments.verb == "check":
        return _check(arguments.folder, arguments.json)
    with workspace() as opened:
        plugins = opened.plugins.plugins
    if arguments.json:
        print_json({"plugins": [_document(plugin) for plugin in plugins]})
    else:
        rows = [(p.id, _version(p), p.state.value, p.reason or _offers(p)) for p in plugins]
        print_lines(table(("plugin", "version", "state", ""), rows))
    return 0


def _check(folder: Path, as_json: bool) -> int:
    try:
        manifest = read_manifest(folder / "plugin.toml")
    except ManifestError as error:
        raise UsageError(str(error)) from None
    if as_json:
        print_json({"id": manifest.id, "version": manifest.version, "problems": []})
    else:
        print(f"{manifest.id} {manifest.version}: the manifest is in order.")
    return 0


def _document(plugin: Plugin) -> dict[str, Any]:
    return {
        "id": plugin.id,
        "version": _version(plugin),
        "state": plugin.state.value,
        "reason": plugin.reason,
        "capabilities": [f"{c.extension.value}/{c.id}" for c in plugin.capabilities],
    }


def _version(plugin: Plugin) -> str:
    return plugin.manifest.version if plugin.manifest else ""


def _offers(plugin: Plugin) -> str:
    return ", ".join(capability.title for capability in plugin.capabilities)
