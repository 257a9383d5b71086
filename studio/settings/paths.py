"""The folders that the studio reads and writes, by the XDG rules."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from studio.lazy_dataclass import dataclass

HOME_VARIABLE = "EDGEWRIGHT_HOME"
"""Moves everything below one folder; for tests, portable installs and several workspaces."""

SAFE_VARIABLE = "EDGEWRIGHT_NO_PLUGINS"
"""Set in safe mode, in which only the plugins that came with the studio are used."""


_OF_A_PROCESS = (("dev",), ("proc",))
"""``/dev/stdin`` is another file in a worker than in the command that starts it."""


def full_path(text: str | os.PathLike[str]) -> Path:
    """Return the absolute path of a typed path, as a sandbox can follow it.

    A sandbox lacks the folders that ``..`` walks through, so they are resolved as the kernel does,
    behind links. A link in a path without ``..`` stays: its name is the model's name.
    """
    path = Path(os.path.expanduser(text)).absolute()
    if path.parts[1:2] in _OF_A_PROCESS:
        return path.resolve()
    if ".." not in path.parts:
        return path
    return path.resolve() if path.name == ".." else path.parent.resolve() / path.name


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders and files of the studio's data.

    Attributes:
        data: The registry and its artefacts; losing it loses work.
        config: Settings and the user's plugins.
        cache: Wheels and other things that can be fetched again.
    """

    data: Path
    config: Path
    cache: Path

    @classmethod
    def of(cls, environment: Mapping[str, str] | None = None, home: Path | None = None) -> Paths:
        """Return the folders for an environment (this process's by default).

        Args:
            home: One folder for everything; overrides ``EDGEWRIGHT_HOME``.
        """
        env = os.environ if environment is None else environment
        if home is None and env.get(HOME_VARIABLE):
            home = Path(env[HOME_VARIABLE])
        if home is not None:
            base = full_path(home)
            return cls(base / "data", base / "config", base / "cache")
        user = Path(env.get("HOME") or Path.home())
        return cls(
            _xdg(env, "XDG_DATA_HOME", user / ".local" / "share"),
            _xdg(env, "XDG_CONFIG_HOME", user / ".config"),
            _xdg(env, "XDG_CACHE_HOME", user / ".cache"),
        )

    def variables(self) -> dict[str, str]:
        """Return the variables with which another process finds the same folders."""
        base = self.data.parent
        if (self.data, self.config, self.cache) == (base / "data", base / "config", base / "cache"):
            return {HOME_VARIABLE: str(base)}
        return {
            "XDG_DATA_HOME": str(self.data.parent),
            "XDG_CONFIG_HOME": str(self.config.parent),
            "XDG_CACHE_HOME": str(self.cache.parent),
        }

    @property
    def registry(self) -> Path:
        """Folder of the registry and its store."""
        return self.data / "registry"

    @property
    def jobs(self) -> Path:
        """Scratch folders of running jobs, on the store's file system so that a move is enough."""
        return self.data / "jobs"

    @property
    def logs(self) -> Path:
        """What the studio logs."""
        return self.data / "logs"

    @property
    def samples(self) -> Path:
        """The samples that the user downloaded."""
        return self.data / "samples"

    @property
    def environments(self) -> Path:
        """Virtual environments of plugins, a folder each."""
        return self.data / "environments"

    @property
    def plugins(self) -> Path:
        """The user's own plugins, a folder each."""
        return self.config / "plugins"

    @property
    def trust(self) -> Path:
        """What the user decided about plugins."""
        return self.config / "trust"

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.config / "settings.json"


def _xdg(env: Mapping[str, str], name: str, default: Path) -> Path:
    value = env.get(name, "")
    # The XDG specification requires that a relative path is ignored.
    return (Path(value) if os.path.isabs(value) else default) / "edgewright"
