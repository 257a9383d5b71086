"""The steps that make and remove the environment of a plugin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from studio.api import Kind, Option, Permission, Unavailable
from studio.jobs import Arguments, Job, Limits, Result, Sandbox, Step, containment
from studio.plugin_host import Plugin, PluginHost
from studio.plugin_host.environments import Environment
from studio.plugin_host.environments.environment import interpreters
from studio.registry import Registry

_NAME = Option(
    "name",
    required=True,
    positional=True,
    title="Plugin or runtime",
    help="A runtime, a quantizer or the plugin that brings it (openvino).",
)

ENVIRONMENT_INSTALL: Step[Arguments, Result] = Step(
    name="environment-install",
    title="Install",
    summary="Make the environment in which a plugin's own libraries live.",
    options=(
        _NAME,
        Option(
            "wheels",
            Kind.FOLDER,
            title="Folder of wheels, instead of the network",
            help="Take the packages from here and ask no index.",
        ),
    ),
    work="studio.steps.environments:install",
    record="studio.steps.environments:keep",
    # pip finds its index, its proxy and its login where the user has configured them.
    needs=frozenset({Permission.NETWORK, Permission.HOME}),
    limits=Limits(seconds=4 * 3600),
)

ENVIRONMENT_REMOVE: Step[Arguments, Result] = Step(
    name="environment-remove",
    title="Remove",
    summary="Remove the environment of a plugin.",
    options=(_NAME,),
    work="studio.steps.environments:remove",
    record="studio.steps.environments:removed",
)

_MADE = "environment"


def environment_of(host: PluginHost, name: str) -> Environment:
    """The environment behind a plugin's id, or that of something it offers.

    Raises:
        Unavailable: when there is none of this name.
    """
    environment = host.environment(_plugin(host, name))
    if environment is None:
        raise Unavailable(f"{name} needs no environment of its own.")
    return environment


def with_environments(host: PluginHost) -> list[tuple[Plugin, Environment]]:
    """The plugins that want an environment, with it."""
    pairs = ((plugin, host.environment(plugin)) for plugin in host.plugins)
    return [(plugin, environment) for plugin, environment in pairs if environment is not None]


def install(arguments: Arguments, job: Job) -> Result:
    """Make the environment below ``job.folder``.

    Raises:
        Unavailable: when there is no such plugin, or it may not be used.
        StudioError: when the environment cannot be made, in one sentence.
    """
    from studio.plugin_host.environments.build import EnvironmentBuild

    host = PluginHost.discover()
    environment = environment_of(host, arguments["name"])
    wheels = Path(arguments["wheels"]) if arguments.get("wheels") else None
    with environment.changing():
        record = EnvironmentBuild(environment, job.folder / _MADE, job, wheels, _contained).run()
    return {"name": arguments["name"], **record}


def keep(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Put it in its place."""
    environment = environment_of(PluginHost.discover(), arguments["name"])
    environment.adopt(folder / _MADE)
    return {**result, "folder": str(environment.folder)}


def remove(arguments: Arguments, job: Job) -> Result:
    """See whether there is something to be removed.

    Raises:
        Unavailable: when there is not.
    """
    environment = environment_of(PluginHost.discover(), arguments["name"])
    if not environment.folder.exists():
        raise Unavailable(f"The environment of {environment.plugin} is not installed.")
    return {"name": arguments["name"], "plugin": environment.plugin}


def removed(registry: Registry, arguments: Arguments, result: Result, folder: Path) -> Result:
    """Remove it."""
    environment_of(PluginHost.discover(), arguments["name"]).remove()
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
        f"There is no runtime and no plugin {name!r}.", hint=f"With an environment: {known}."
    )


@contextmanager
def _contained(
    command: Sequence[str], writes: Path, sees: Path
) -> Iterator[tuple[Sequence[str], Sequence[int]]]:
    """A command behind the walls of workers that run models, where there are any."""
    walls = Sandbox(containment(), writes, (sees, *interpreters(sees.parent)))
    with walls.around(command) as walled:
        yield walled.command, walled.descriptors
