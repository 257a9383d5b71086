"""The plugins of a process: what they offer, made on first use."""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from studio.api import Capability, Extension, StudioError, Unavailable
from studio.documents.defects import reason
from studio.plugin_host.built_in import is_imported_from
from studio.plugin_host.digest import digest_of, file_digests
from studio.plugin_host.discovery import Plugin, PluginState, find_plugins, safe_mode
from studio.plugin_host.environments import Environment, EnvironmentCondition, PluginToolchain
from studio.plugin_host.manifest import ManifestError
from studio.plugin_host.plugin_import import culprit, make_importable
from studio.plugin_host.trust import MOST_CRASHES, Trust
from studio.settings import Paths

log = logging.getLogger(__name__)

T = TypeVar("T")

_HOSTS = (Extension.TARGET, Extension.PLATFORM)


class PluginFailed(Unavailable):
    """A plugin's own code raised what it should not have.

    Attributes:
        plugin: Its id.
    """

    def __init__(self, message: str, *, plugin: str = "") -> None:
        super().__init__(message)
        self.plugin = plugin


class PluginHost:
    """The plugins of this environment and of the user's folder.

    Nothing of a plugin is imported before one of its capabilities is made.

    Attributes:
        used: Called with a plugin's id whenever one of its capabilities is made; a worker passes
            it on, so that the parent knows whose code killed it.
    """

    used: ClassVar[Callable[[str], object]] = staticmethod(lambda plugin: None)
    _found: ClassVar[tuple[object, Mapping[str, Plugin], Trust] | None] = None

    def __init__(self, plugins: Mapping[str, Plugin], trust: Trust | None = None) -> None:
        self._plugins = dict(plugins)
        self._trust = trust
        self._made: dict[tuple[str, Extension, str], Any] = {}

    @classmethod
    def discover(cls, user_folder: Path | None = None, trust: Trust | None = None) -> PluginHost:
        """Find the plugins; an installed id is never replaced by one of the user's folder."""
        paths = Paths.of()
        folder, trust = user_folder or paths.plugins, trust or Trust(paths.trust)
        key = _key(folder, trust.folder)  # before the search: a change meanwhile is found later
        plugins = find_plugins(folder, trust)
        cls._found = (key, plugins, trust)
        return cls(plugins, trust)

    @classmethod
    def again(cls) -> PluginHost:
        """Return the plugins as this process last found them, searched again after a change.

        For calls that repeat in one job, as a connection to each of many boards: to find
        them takes a tenth of a second.
        """
        paths = Paths.of()
        found = cls._found
        if found is None or found[0] != _key(paths.plugins, paths.trust):
            return cls.discover()
        return cls(found[1], found[2])

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """Every plugin that was found, by id."""
        return tuple(self._plugins[key] for key in sorted(self._plugins))

    def plugin(self, identifier: str) -> Plugin:
        """Return one plugin.

        Raises:
            Unavailable: when no plugin has this id.
        """
        try:
            return self._plugins[identifier]
        except KeyError:
            known = ", ".join(sorted(self._plugins))
            raise Unavailable(f"Unknown plugin {identifier!r}.", hint=f"Known: {known}.") from None

    def usable(self, identifier: str) -> Plugin:
        """Return one plugin, which can and may be used.

        Raises:
            Unavailable: when it cannot or may not be used, with the reason, or is unknown.
        """
        plugin = self.plugin(identifier)
        if plugin.state is not PluginState.AVAILABLE:
            raise Unavailable(f"The plugin {identifier} is not available: {plugin.reason}")
        return plugin

    def all(self, extension: Extension) -> tuple[Capability, ...]:
        """Return the available capabilities of an extension point; built-in ones first."""
        return tuple(
            capability
            for plugin in self._ranked()
            if plugin.state is PluginState.AVAILABLE
            for capability in plugin.capabilities
            if capability.extension is extension
        )

    def find(self, extension: Extension, identifier: str) -> Capability:
        """Return one capability; what came with the studio is never replaced by another plugin's.

        Raises:
            Unavailable: when its plugin cannot be used, with the reason, or none offers it.
        """
        for plugin in self._ranked():
            for capability in plugin.capabilities:
                if capability.extension is extension and capability.id == identifier:
                    keys = {"plugin": plugin.id, "capability": identifier}
                    if plugin.state is not PluginState.AVAILABLE:
                        log.warning("plugin refused: %s", plugin.reason, extra=keys)
                    return self._usable(plugin, capability)
        known = ", ".join(capability.id for capability in self.all(extension)) or "none"
        kind = extension.value.removesuffix("s").replace("_", " ")
        raise Unavailable(f"Unknown {kind} {identifier!r}.", hint=f"Known: {known}.")

    def answering(self, scheme: str) -> Capability | None:
        """Return the target or platform that answers for a URL's scheme, whether usable or not."""
        for plugin in self._ranked():
            for capability in plugin.capabilities:
                speaks = scheme in capability.schemes
                if speaks and capability.extension in _HOSTS:
                    return capability
        return None

    def get(self, extension: Extension, identifier: str) -> Any:
        """Return the object of a capability, made on first use."""
        return self.create(self.find(extension, identifier))

    def create(self, capability: Capability) -> Any:
        """Return the object of a capability, made once.

        Raises:
            Unavailable: when its plugin may not be used, with the reason.
            PluginFailed: when the plugin's own code fails; the plugin is named.
        """
        key = (capability.plugin, capability.extension, capability.id)
        if key not in self._made:
            self._made[key] = self.call(capability, *self._factory_arguments(capability))
        return self._made[key]

    def environment(self, plugin: Plugin) -> Environment | None:
        """Return the virtual environment that a plugin wants for itself; None for most."""
        if plugin.manifest is None or plugin.manifest.environment is None:
            return None
        parent = Paths.of().environments
        need, title = plugin.manifest.environment, plugin.manifest.name
        using = [one for one in plugin.capabilities if one.has_environment]
        # What a language model runs on is known by its own name, not by that of a method.
        using.sort(key=lambda one: one.extension is not Extension.TEXT_BACKEND)
        name = using[0].id if using else ""
        return Environment(plugin.id, need, plugin.folder, parent, title, name)

    def title(self, capability: Capability) -> str:
        """Return a capability's title, with a note when its environment is not installed."""
        environment = self.environment(self._plugins[capability.plugin])
        if environment is None or not capability.has_environment:
            return capability.title
        ready = environment.state().condition is EnvironmentCondition.INSTALLED
        return capability.title if ready else f"{capability.title} (to be installed)"

    def _factory_arguments(self, capability: Capability) -> tuple[object, ...]:
        """Return the arguments of a capability's factory: the toolchain where it declares one."""
        if not capability.has_environment:
            return ()
        environment = self.environment(self._plugins[capability.plugin])
        if environment is None:
            raise Unavailable(f"The plugin {capability.plugin} declares no environment.")
        return (PluginToolchain(environment),)

    def call(self, capability: Capability, *arguments: object) -> Any:
        """Return a new product of a capability's factory at each call.

        Raises:
            Unavailable, PluginFailed: as ``create`` does.
        """
        keys = {"plugin": capability.plugin, "capability": capability.id}
        known = capability.factory.partition(":")[0] in sys.modules
        try:
            made = self._call(capability, *arguments)
        except StudioError as error:
            log.warning("plugin refused: %s", error, extra=keys)
            raise
        if not known:
            log.info("plugin loaded", extra=keys)
        return made

    def load(self, capability: Capability) -> Callable[..., object]:
        """Import the module of a capability's factory, and return the factory.

        Raises:
            Unavailable, PluginFailed: as ``create`` does.
        """
        plugin = self._plugins[capability.plugin]
        self._usable(plugin, capability)
        if not plugin.built_in:
            files = self._verify_consent(plugin, capability)
            make_importable(plugin.id, plugin.folder, plugin.digest, files)
        elif not is_imported_from(plugin.id, plugin.folder):
            raise Unavailable(
                f"{capability.title} is not available: a package called {plugin.id} that did not "
                "come with the studio would be imported in its place."
            )
        type(self).used("" if plugin.built_in else plugin.id)
        module, _, attribute = capability.factory.partition(":")

        def factory() -> Callable[..., object]:
            found: Callable[..., object] = getattr(importlib.import_module(module), attribute)
            return found

        return self._guarded(capability, factory)

    def _call(self, capability: Capability, *arguments: object) -> Any:
        factory = self.load(capability)
        return self._guarded(capability, lambda: factory(*arguments))

    def _guarded(self, capability: Capability, call: Callable[[], T]) -> T:
        plugin = self._plugins[capability.plugin]
        try:
            return call()
        except StudioError:
            raise
        except Exception as error:  # a plugin's code may raise anything
            raise PluginFailed(
                f"The plugin {capability.plugin} failed to provide {capability.title}: "
                f"{reason(error)}",
                plugin="" if plugin.built_in else plugin.id,
            ) from error

    def culprit(self, error: BaseException) -> str:
        """Return the id of the plugin, built-in or not, whose code raised an error; else empty."""
        return culprit(error, {plugin.id: plugin.folder for plugin in self.plugins})

    def note_crash(self, identifier: str, reason: str) -> bool:
        """Count a crash of a plugin; True when that switched it off.

        Built-ins are not counted: a hostile model must not be able to switch off the studio's own
        reader, and a crash of it is a defect to be fixed.
        """
        plugin = self._plugins.get(identifier)
        if plugin is None or plugin.built_in or self._trust is None:
            return False
        return self._trust.note_crash(plugin.id, plugin.digest, reason) >= MOST_CRASHES

    @staticmethod
    def _verify_consent(plugin: Plugin, capability: Capability) -> Mapping[Path, bytes]:
        """Check the consent against the current files: they may have changed since discovery."""
        try:
            files = file_digests(plugin.folder)
        except ManifestError as error:
            raise Unavailable(f"{capability.title} is not available: {error}") from None
        if digest_of(plugin.folder, files) != plugin.digest:
            raise Unavailable(
                f"{capability.title} is not available: the files of {plugin.id} have changed.",
                hint="Review the plugin on the Plugins page, or with: studio plugins list",
            )
        return files

    @staticmethod
    def _usable(plugin: Plugin, capability: Capability) -> Capability:
        if plugin.state is not PluginState.AVAILABLE:
            raise Unavailable(f"{capability.title} is not available: {plugin.reason}")
        return capability

    def _ranked(self) -> list[Plugin]:
        """Built-in before installed by others, what can be used before what cannot."""
        return sorted(
            self._plugins.values(),
            key=lambda one: (not one.built_in, one.state is not PluginState.AVAILABLE, one.id),
        )


def _key(user_folder: Path, trust: Path) -> tuple[object, ...]:
    """Changes when another search would find other plugins, or other decisions on them."""
    return (user_folder, trust, safe_mode(), _stamp(user_folder), _stamp(trust))


def _stamp(path: Path) -> tuple[int, int]:
    """Changes with a file's content, or a folder's entries."""
    try:
        found = path.stat()
    except OSError:
        return (0, 0)
    return (found.st_mtime_ns, found.st_ino)
