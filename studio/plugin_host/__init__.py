"""Manifests, discovery, consent and lazy loading of plugins, and why one is unavailable."""

from typing import TYPE_CHECKING

from studio.lazy_names import lazy_names

if TYPE_CHECKING:
    from studio.plugin_host.discovery import GROUP, Plugin, PluginState, safe_mode
    from studio.plugin_host.host import PluginFailed, PluginHost
    from studio.plugin_host.manifest import ManifestError, read_manifest
    from studio.plugin_host.trust import MOST_CRASHES, Trust

__getattr__ = lazy_names(
    __name__,
    dict.fromkeys(("GROUP", "Plugin", "PluginState", "safe_mode"), "discovery")
    | {"PluginFailed": "host", "PluginHost": "host"}
    | {"ManifestError": "manifest", "read_manifest": "manifest"}
    | {"MOST_CRASHES": "trust", "Trust": "trust"},
)
