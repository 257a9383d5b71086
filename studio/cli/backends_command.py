"""``studio backends``: the runtimes that can execute models."""

from __future__ import annotations

import argparse
from typing import Any

from studio.api import Capability, Extension, StudioError, Unavailable
from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines, table
from studio.cli.session import workspace
from studio.plugin_host import PluginHost


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(parser, list="the runtimes, with their versions", install="install a runtime")
    verbs["install"].add_argument("name")


def run(arguments: argparse.Namespace) -> int:
    """List, or say how to install."""
    with workspace() as opened:
        found = [_document(opened.plugins, item) for item in _backends(opened.plugins)]
    if arguments.verb == "install":
        return _install(arguments.name, found)
    if arguments.json:
        print_json({"backends": found})
    else:
        rows = [(b["name"], b["version"], b["state"], b["reason"]) for b in found]
        print_lines(table(("backend", "version", "state", ""), rows))
    return 0


def _backends(host: PluginHost) -> list[Capability]:
    return [
        capability
        for plugin in host.plugins
        for capability in plugin.capabilities
        if capability.extension is Extension.BACKEND
    ]


def _document(host: PluginHost, capability: Capability) -> dict[str, Any]:
    try:
        version = str(host.get(Extension.BACKEND, capability.id).version())
    except StudioError as error:
        return {
            "name": capability.id,
            "version": "",
            "state": "unavailable",
            "reason": error.message,
        }
    return {"name": capability.id, "version": version, "state": "available", "reason": ""}


def _install(name: str, found: list[dict[str, Any]]) -> int:
    for backend in found:
        if backend["name"] == name and backend["state"] == "available":
            print(f"{name} {backend['version']} is installed already.")
            return 0
        if backend["name"] == name:
            raise Unavailable(
                f"{name} cannot be installed by the studio yet.", hint=backend["reason"]
            )
    known = ", ".join(backend["name"] for backend in found)
    raise Unavailable(f"There is no backend {name!r}.", hint=f"Known: {known}.")
