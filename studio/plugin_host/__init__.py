"""Manifests, discovery and lazy loading of plugins, and why one is unavailable."""

from studio.plugin_host.host import GROUP, Plugin, PluginHost, State
from studio.plugin_host.manifest import ManifestError, read_manifest

__all__ = ["GROUP", "ManifestError", "Plugin", "PluginHost", "State", "read_manifest"]
