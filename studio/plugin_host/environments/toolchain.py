"""The environment of a plugin as its capabilities see it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Progress, Session, Unavailable
from studio.plugin_host.environments.environment import Environment


class PluginToolchain:
    """The ``studio.api.toolchains.Toolchain`` that a factory is given."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment

    @property
    def python(self) -> Path:
        """Its interpreter; Unavailable where it cannot be used."""
        self._environment.usable()
        return self._environment.interpreter

    def version(self, distribution: str) -> str:
        """Return the installed version of a distribution."""
        versions = self._environment.usable().versions
        wanted = _plain(distribution)
        for name, version in versions.items():
            if _plain(name) == wanted:
                return version
        raise Unavailable(f"The environment of {self._environment.plugin} has no {distribution}.")

    def run(
        self, tool: Path, request: Mapping[str, Any], folder: Path, progress: Progress
    ) -> Mapping[str, Any]:
        """Run a tool to its end."""
        from studio.plugin_host.environments.tool_run import ToolRun

        return ToolRun(self.python, tool, folder).result(request, progress)

    def load(self, runner: Path, model: Path, options: Mapping[str, Any]) -> Session:
        """Load a model in a process of this environment."""
        from studio.plugin_host.environments.remote_session import RemoteSession

        return RemoteSession(self.python, runner, model, options)


def _plain(name: str) -> str:
    return name.replace("_", "-").replace(".", "-").lower()
