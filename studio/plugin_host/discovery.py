"""Discovery: where plugins lie, and whether each can and may be used. Imports none of them."""

from __future__ import annotations

import enum
import os
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from studio.api import Capability, Manifest
from studio.lazy_dataclass import dataclass
from studio.plugin_host.built_in import built_in_folders
from studio.plugin_host.digest import content_digest
from studio.plugin_host.manifest import FILE_NAME, ManifestError, read_manifest, supported
from studio.plugin_host.requirements import missing
from studio.plugin_host.trust import MOST_CRASHES, PluginDecision, Trust
from studio.settings import SAFE_VARIABLE
from studio.settings.distributions import entry_points
from studio.settings.installation import missing_packages

GROUP = "edgewright.plugins"


class PluginState(enum.Enum):
    """The state that decides whether a plugin can be used."""

    AVAILABLE = "available"
    NEEDS_CONSENT = "needs consent"
    OFF = "off"
    UNAVAILABLE = "unavailable"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin that was found.

    Attributes:
        reason: Why it is not available, in one sentence with what to do; empty otherwise. Of an
            available one, its last failure.
        manifest: None when it could not be read.
        built_in: It came with the studio, and needs no consent.
        digest: SHA-256 of its files; empty for a built-in.
    """

    id: str
    folder: Path
    state: PluginState
    reason: str = ""
    manifest: Manifest | None = None
    built_in: bool = False
    digest: str = ""

    @property
    def word(self) -> str:
        """The state as lists show it: one that can be used, but has raised an error, has failed."""
        is_failed = self.state is PluginState.AVAILABLE and bool(self.reason)
        return "failed" if is_failed else self.state.value

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """The capabilities of the plugin, available or not."""
        return self.manifest.capabilities if self.manifest else ()


def safe_mode() -> bool:
    """Return whether only built-in plugins may be used in this process and its workers."""
    return bool(os.environ.get(SAFE_VARIABLE))


def find_plugins(user_folder: Path, trust: Trust) -> dict[str, Plugin]:
    """Return the plugins by id: built-in, installed, then the user's; the first one wins."""
    found: dict[str, Plugin] = {}
    standings = trust.standings()
    for name, folder, built_in in _places(user_folder):
        plugin = replace(_inspect(name, folder), built_in=built_in)
        plugin = _judge(plugin, standings.get(plugin.id, PluginDecision()))
        found.setdefault(plugin.id, plugin)
    return found


def _places(user_folder: Path) -> Iterator[tuple[str, Path, bool]]:
    own = dict(built_in_folders())
    for name, folder in own.items():
        yield name, folder, True
    for name, value in sorted(entry_points(GROUP)):
        if name not in own:
            yield name, _package_folder(value), False
    if user_folder.is_dir():
        for folder in sorted(user_folder.iterdir()):
            if (folder / FILE_NAME).is_file():
                yield folder.name, folder.resolve(), False


def _package_folder(value: str) -> Path:
    # A dotted name would import its parent to be found, before anyone agreed to it.
    spec = find_spec(value) if value.isidentifier() else None
    return Path(spec.origin).resolve().parent if spec and spec.origin else Path(value)


def _inspect(name: str, folder: Path) -> Plugin:
    """Return a plugin with the state that it has if the user allows it."""
    try:
        manifest = read_manifest(folder / FILE_NAME)
    except ManifestError as error:
        return Plugin(name, folder, PluginState.BROKEN, str(error))
    if not supported(manifest):
        reason = f"it was written for version {manifest.api} of the plugin API."
        return Plugin(manifest.id, folder, PluginState.UNAVAILABLE, reason, manifest)
    try:
        lacking = missing(manifest.requires)
    except ValueError as error:
        return Plugin(
            manifest.id,
            folder,
            PluginState.BROKEN,
            f"Its requirements are wrong: {error}.",
            manifest,
        )
    if lacking:
        reason = f"{', '.join(lacking)} is not installed; {missing_packages(lacking)}"
        return Plugin(manifest.id, folder, PluginState.UNAVAILABLE, reason, manifest)
    return Plugin(manifest.id, folder, PluginState.AVAILABLE, "", manifest)


def _judge(plugin: Plugin, standing: PluginDecision) -> Plugin:
    """Return the plugin as the user's decisions leave it."""
    if plugin.manifest is None:
        return plugin
    if not plugin.built_in:
        plugin = _judge_stranger(plugin, plugin.manifest, standing)
    return _off(plugin, "you switched it off") if standing.forbidden else plugin


def _judge_stranger(plugin: Plugin, manifest: Manifest, standing: PluginDecision) -> Plugin:
    """Return a plugin that did not come with the studio, as its files and crashes leave it."""
    outside = [c.factory for c in manifest.capabilities if not _own(c.factory, manifest.id)]
    if outside:
        reason = f"The factory {outside[0]!r} lies outside the plugin's package {manifest.id}."
        return replace(plugin, state=PluginState.BROKEN, reason=reason)
    try:
        plugin = replace(plugin, digest=content_digest(plugin.folder))
    except ManifestError as error:
        return replace(plugin, state=PluginState.BROKEN, reason=str(error))
    if safe_mode():
        return replace(
            plugin, state=PluginState.OFF, reason="this is the safe mode, without plugins."
        )
    if plugin.state is not PluginState.AVAILABLE:
        return plugin
    if standing.crashes_of(plugin.digest) >= MOST_CRASHES:
        times = f"it crashed {standing.crashes} times"
        return _off(plugin, f"{times}, the last time: {standing.reason}")
    if standing.agreed != plugin.digest:
        return replace(
            plugin, state=PluginState.NEEDS_CONSENT, reason=_question(plugin, standing.agreed)
        )
    if standing.crashes_of(plugin.digest):
        return replace(plugin, reason=f"It failed: {standing.reason}")
    return plugin


def _question(plugin: Plugin, agreed: str) -> str:
    begin = "its files have changed since you allowed it" if agreed else "no consent yet"
    return f"{begin}; review it, then run: studio plugins allow {plugin.id}"


def _off(plugin: Plugin, reason: str) -> Plugin:
    text = f"{reason.rstrip('.')}; switch it on again with: studio plugins allow {plugin.id}"
    return replace(plugin, state=PluginState.OFF, reason=text)


def _own(factory: str, package: str) -> bool:
    module = factory.partition(":")[0]
    return module == package or module.startswith(f"{package}.")
