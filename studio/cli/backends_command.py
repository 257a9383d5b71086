"""``studio backends``: runtimes and toolchains, and the environments in which some of them live."""

from __future__ import annotations

import argparse
from typing import Any

from studio.api import Capability, Extension, StudioError
from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.text_table import table
from studio.plugin_host import Plugin, PluginHost
from studio.plugin_host.environments import Environment
from studio.steps.environments import with_environments

_INSTALL, _REMOVE = "environment-install", "environment-remove"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        list="the runtimes and toolchains, with their versions",
        install="make the environment of a runtime or toolchain",
        remove="remove it again",
    )
    add_step(verbs["install"], _INSTALL)
    add_step(verbs["remove"], _REMOVE)


def run(arguments: argparse.Namespace) -> int:
    """Do what the verb says."""
    if arguments.verb == "list":
        return _list(arguments)
    return run_named(_INSTALL if arguments.verb == "install" else _REMOVE, arguments)


def _list(arguments: argparse.Namespace) -> int:
    with workspace() as opened:
        found = rows(opened.plugins)
    if arguments.json:
        print_json({"backends": found})
    else:
        cells = [(b["name"], b["kind"], b["version"], b["state"], b["reason"]) for b in found]
        print_lines(table(("name", "kind", "version", "state", ""), cells))
    return 0


def rows(host: PluginHost) -> list[dict[str, Any]]:
    """The backends, and whatever else lives in an environment of its own."""
    environments = {plugin.id: environment for plugin, environment in with_environments(host)}
    return [
        _row(host, plugin, capability, environments.get(plugin.id))
        for plugin in host.plugins
        for capability in plugin.capabilities
        if capability.extension is Extension.BACKEND or capability.has_environment
    ]


def _row(
    host: PluginHost, plugin: Plugin, capability: Capability, environment: Environment | None
) -> dict[str, Any]:
    told = _environment(environment) if environment else None
    row: dict[str, Any] = {
        "name": capability.id,
        "kind": capability.extension.value.removesuffix("s"),
        "version": "",
        "state": "available",
        "reason": "",
        "plugin": plugin.id,
        "environment": told,
    }
    try:
        made = host.create(host.find(capability.extension, capability.id))
        if environment is not None:
            environment.usable()
        if hasattr(made, "version"):  # which a quantizer need not have
            row["version"] = str(made.version())
    except StudioError as error:
        condition = told["condition"] if told else "installed"
        row["state"] = "unavailable" if condition == "installed" else condition
        row["reason"] = f"{error.message} {error.hint}".strip()
    return row


def _environment(environment: Environment) -> dict[str, Any]:
    state = environment.state()
    return {
        "condition": state.condition.value,
        "reason": state.reason,
        "folder": str(environment.folder),
        "python": state.python,
        "bytes": state.bytes,
        "megabytes": environment.need.megabytes,
        "licences": environment.need.licences,
    }
