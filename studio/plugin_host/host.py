"""Discovery of plugins, and the making of what they offer on first use."""

from __future__ import annotations

import enum
import importlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from studio.api import Capability, Extension, Manifest, StudioError, Unavailable
from studio.plugin_host.manifest import FILE_NAME, ManifestError, read_manifest, supported
from studio.plugin_host.requirements import missing
from studio.settings import Paths

GROUP = "edgewright.plugins"


class State(enum.Enum):
    """Whether a plugin can be used."""

    AVAILABLE = "available"
    UNAVAILABLE = "unavailable"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that was found.

    Attributes:
        reason: Why it is not available, in one sentence with what to do; empty otherwise.
        manifest: None when it could not be read.
    """

    id: str
    folder: Path
    state: State
    reason: str = ""
    manifest: Manifest | None = None

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """What it offers, whether available or not."""
        return self.manifest.capabilities if self.manifest else ()


class PluginHost:
    """The plugins of this environment and of the user's folder.

    Nothing of a plugin is imported before one of its capabilities is made.
    """

    def __init__(self, plugins: Mapping[str, Plugin]) -> None:
        self._plugins = dict(plugins)
        self._made: dict[tuple[Extension, str], Any] = {}

    @classmethod
    def discover(cls, user_folder: Path | None = None) -> PluginHost:
        """Find the installed plugins, then the user's; an installed id is never replaced."""
        plugins: dict[str, Plugin] = {}
        for name, folder in _places(user_folder or Paths.of().plugins):
            plugin = _inspect(name, folder)
            plugins.setdefault(plugin.id, plugin)
        return cls(plugins)

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Every plugin that was found, by id."""
        return tuple(self._plugins[key] for key in sorted(self._plugins))

    def all(self, extension: Extension) -> tuple[Capability, ...]:
        """The available capabilities of an extension point."""
        return tuple(
            capability
            for plugin in self.plugins
            if plugin.state is State.AVAILABLE
            for capability in plugin.capabilities
            if capability.extension is extension
        )

    def find(self, extension: Extension, identifier: str) -> Capability:
        """One capability.

        Raises:
            Unavailable: when its plugin cannot be used, with the reason, or none offers it.
        """
        for plugin in self.plugins:
            for capability in plugin.capabilities:
                if capability.extension is extension and capability.id == identifier:
                    if plugin.state is not State.AVAILABLE:
                        raise Unavailable(f"{capability.title} is not available: {plugin.reason}")
                    return capability
        known = ", ".join(capability.id for capability in self.all(extension)) or "none"
        kind = extension.value.removesuffix("s")
        raise Unavailable(f"There is no {kind} {identifier!r}.", hint=f"Known: {known}.")

    def get(self, extension: Extension, identifier: str) -> Any:
        """The object of a capability, made on first use."""
        return self.create(self.find(extension, identifier))

    def create(self, capability: Capability) -> Any:
        """The object of a capability, made once.

        Raises:
            Unavailable: when the plugin's own code fails; the plugin is named.
        """
        key = (capability.extension, capability.id)
        if key not in self._made:
            self._made[key] = self._make(capability)
        return self._made[key]

    def _make(self, capability: Capability) -> Any:
        self._reach(self._plugins[capability.plugin])
        module, _, attribute = capability.factory.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)()
        except StudioError:
            raise
        except Exception as error:  # a plugin's code may raise anything
            raise Unavailable(
                f"The plugin {capability.plugin} failed to provide {capability.title}: "
                f"{type(error).__name__}: {error}."
            ) from error

    @staticmethod
    def _reach(plugin: Plugin) -> None:
        """Make the user's plugin folder importable; installed plugins already are."""
        parent = str(plugin.folder.parent)
        if find_spec(plugin.id) is None and parent not in sys.path:
            sys.path.append(parent)


def _places(user_folder: Path) -> Iterator[tuple[str, Path]]:
    from importlib import metadata  # slow to import, and the window's start needs no plugin

    for entry in metadata.entry_points(group=GROUP):
        spec = find_spec(entry.value)
        if spec is not None and spec.origin is not None:
            yield entry.name, Path(spec.origin).parent
        else:
            yield entry.name, Path(entry.value)
    if user_folder.is_dir():
        for folder in sorted(user_folder.iterdir()):
            if (folder / FILE_NAME).is_file():
                yield folder.name, folder


def _inspect(name: str, folder: Path) -> Plugin:
    try:
        manifest = read_manifest(folder / FILE_NAME)
    except ManifestError as error:
        return Plugin(name, folder, State.BROKEN, str(error))
    if not supported(manifest):
        reason = f"it was written for version {manifest.api} of the plugin API."
        return Plugin(manifest.id, folder, State.UNAVAILABLE, reason, manifest)
    try:
        lacking = missing(manifest.requires)
    except ValueError as error:
        return Plugin(
            manifest.id, folder, State.BROKEN, f"Its requirements are wrong: {error}.", manifest
        )
    if lacking:
        names = " ".join(f"'{text}'" for text in lacking)
        reason = f"{', '.join(lacking)} is not installed; install it with: pip install {names}"
        return Plugin(manifest.id, folder, State.UNAVAILABLE, reason, manifest)
    return Plugin(manifest.id, folder, State.AVAILABLE, "", manifest)
