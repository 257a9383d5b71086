"""Manifests, discovery, consent and lazy loading of plugins, and why one is unavailable."""

from studio.plugin_host.discovery import GROUP, Plugin, PluginState, safe_mode
from studio.plugin_host.host import PluginFailed, PluginHost
from studio.plugin_host.manifest import ManifestError, read_manifest
from studio.plugin_host.trust import MOST_CRASHES, Trust

__all__ = [
    "GROUP",
    "MOST_CRASHES",
    "ManifestError",
    "Plugin",
    "PluginFailed",
    "PluginHost",
    "PluginState",
    "Trust",
    "read_manifest",
    "safe_mode",
]
