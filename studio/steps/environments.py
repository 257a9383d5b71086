"""Work and records of the steps that make and remove the environment of a plugin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from studio.api import Refused, Unavailable
from studio.jobs import Job, Sandbox, containment
from studio.plugin_host import Plugin, PluginHost
from studio.plugin_host.environments import Environment
from studio.plugin_host.environments.environment import EnvironmentCondition, interpreters
from studio.registry import Registry
from studio.steps.environment_step import EnvironmentOptions, InstallOptions
from studio.steps.results import InstallResult, RemoveResult

_MADE = "environment"


def environment_of(host: PluginHost, name: str) -> Environment:
    """Return the environment of a plugin, given its id or that of a capability.

    Raises:
        Unavailable: when no plugin or capability has this name.
    """
    environment = host.environment(_plugin(host, name))
    if environment is None:
        raise Unavailable(f"{name} needs no separate environment.")
    return environment


def with_environments(host: PluginHost) -> list[tuple[Plugin, Environment]]:
    """Return the plugins that want an environment, with it."""
    pairs = ((plugin, host.environment(plugin)) for plugin in host.plugins)
    return [(plugin, environment) for plugin, environment in pairs if environment is not None]


def install(options: InstallOptions, job: Job) -> InstallResult:
    """Make the environment below ``job.folder``; one that is up to date is not made again.

    Raises:
        Unavailable: when there is no such plugin, or it may not be used.
        Refused: when its licence has to be accepted, and was not.
        StudioError: when the environment cannot be made, in one sentence.
    """
    from studio.plugin_host.environments.build import EnvironmentBuild

    host = PluginHost.discover()
    environment = environment_of(host, options.name)
    _require_acceptance(environment, options)
    state, folder = environment.state(), job.folder / _MADE
    if state.condition is EnvironmentCondition.INSTALLED and options.wheels is None:
        facts = state.python, state.versions, state.bytes, str(environment.folder)
        return InstallResult(
            options.name, environment.plugin, environment.digest, *facts, existing=True
        )
    with environment.changing():
        made = EnvironmentBuild(environment, folder, job, options.wheels, _contained).run()
    return InstallResult(
        options.name, made.plugin, made.requirements, made.python, made.versions, made.bytes
    )


def _require_acceptance(environment: Environment, options: InstallOptions) -> None:
    if environment.need.terms and not options.accept_licence:
        raise Refused(
            f"{options.name} needs your acceptance: {environment.need.terms}",
            hint=f"Accept with: studio backends install {options.name} --accept-licence, "
            "or on the Plugins page.",
        )


def adopt(
    registry: Registry, options: InstallOptions, result: InstallResult, folder: Path
) -> InstallResult:
    """Move the built environment to its final folder."""
    if result.existing:
        return result
    environment = environment_of(PluginHost.discover(), options.name)
    environment.adopt(folder / _MADE)
    return replace(result, folder=str(environment.folder))


def remove(options: EnvironmentOptions, job: Job) -> RemoveResult:
    """See whether there is something to be removed.

    Raises:
        Unavailable: when there is not.
    """
    environment = environment_of(PluginHost.discover(), options.name)
    if not environment.folder.exists():
        raise Unavailable(f"The environment of {environment.plugin} is not installed.")
    return RemoveResult(options.name, environment.plugin)


def removed(
    registry: Registry, options: EnvironmentOptions, result: RemoveResult, folder: Path
) -> RemoveResult:
    """Remove it."""
    environment_of(PluginHost.discover(), options.name).remove()
    return result


def _plugin(host: PluginHost, name: str) -> Plugin:
    offering = [
        plugin
        for plugin in host.plugins
        if plugin.id == name or any(one.id == name for one in plugin.capabilities)
    ]
    for plugin in sorted(offering, key=lambda one: host.environment(one) is None):
        return host.usable(plugin.id)
    known = ", ".join(plugin.id for plugin, _ in with_environments(host)) or "none"
    raise Unavailable(
        f"Unknown runtime or plugin {name!r}.",
        hint=f"Runtimes and plugins with an environment: {known}.",
    )


@contextmanager
def _contained(
    command: Sequence[str], writes: Path, sees: Path
) -> Iterator[tuple[Sequence[str], Sequence[int]]]:
    """A command behind the walls of workers that run models, where there are any."""
    walls = Sandbox(containment(), writes, (sees, *interpreters(sees.parent)))
    with walls.around(command) as walled:
        yield walled.command, walled.descriptors
