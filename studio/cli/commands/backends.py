"""``studio backends``: runtimes and toolchains, and the environments in which some of them live."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.api import Capability, Extension, StudioError
from studio.cli.flags import add_verbs
from studio.cli.output import print_json, print_lines
from studio.cli.session import add_step, workspace
from studio.cli.step_commands import run_named
from studio.documents.dataclass_json import to_json
from studio.documents.text_table import table
from studio.lazy_dataclass import dataclass
from studio.plugin_host import Plugin, PluginHost
from studio.plugin_host.environments import Environment
from studio.steps.environments import with_environments

_INSTALL, _REMOVE = "environment-install", "environment-remove"


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    verbs = add_verbs(
        parser,
        list="list runtimes and toolchains with their versions",
        install="install a runtime or toolchain in its own environment",
        remove="remove the environment of a runtime or toolchain",
    )
    add_step(verbs["install"], _INSTALL)
    add_step(verbs["remove"], _REMOVE)


def run(arguments: argparse.Namespace) -> int:
    """Run the command of the verb."""
    if arguments.verb == "list":
        return _list(arguments)
    return run_named(_INSTALL if arguments.verb == "install" else _REMOVE, arguments)


def _list(arguments: argparse.Namespace) -> int:
    with workspace() as opened:
        found = rows(opened.plugins)
    if arguments.json:
        print_json({"backends": to_json(found)})
    else:
        cells = [(b.name, b.kind, b.version, b.state, b.reason) for b in found]
        print_lines(table(("name", "kind", "version", "state", ""), cells))
    return 0


@dataclass(frozen=True, slots=True)
class EnvironmentRow:
    """The environment of a runtime or toolchain."""

    condition: str
    reason: str
    folder: Path
    python: str
    bytes: int
    megabytes: int
    licences: str
    terms: str


@dataclass(frozen=True, slots=True)
class BackendRow:
    """A runtime or toolchain, with the reason where it is unavailable."""

    name: str
    kind: str
    version: str
    state: str
    reason: str
    plugin: str
    environment: EnvironmentRow | None


def rows(host: PluginHost) -> list[BackendRow]:
    """Return the backends, and whatever else lives in an environment of its own."""
    environments = {plugin.id: environment for plugin, environment in with_environments(host)}
    return [
        _row(host, plugin, capability, environments.get(plugin.id))
        for plugin in host.plugins
        for capability in plugin.capabilities
        if capability.extension is Extension.BACKEND or capability.has_environment
    ]


def _row(
    host: PluginHost, plugin: Plugin, capability: Capability, environment: Environment | None
) -> BackendRow:
    about = _environment(environment) if environment else None
    version, state, reason = "", "available", ""
    try:
        made = host.create(host.find(capability.extension, capability.id))
        if environment is not None:
            environment.usable()
        if hasattr(made, "version"):  # which a quantizer need not have
            version = str(made.version())
    except StudioError as error:
        condition = about.condition if about else "installed"
        state = "unavailable" if condition == "installed" else condition
        reason = f"{error.message} {error.hint}".strip()
    kind = capability.extension.value.removesuffix("s").replace("_", " ")
    return BackendRow(capability.id, kind, version, state, reason, plugin.id, about)


def _environment(environment: Environment) -> EnvironmentRow:
    state, need = environment.state(), environment.need
    return EnvironmentRow(
        state.condition.value,
        state.reason,
        environment.folder,
        state.python,
        state.bytes,
        need.megabytes,
        need.licences,
        need.terms,
    )
