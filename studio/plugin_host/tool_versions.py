"""The versions of what computes: the same ones give the same results."""

from __future__ import annotations

import platform
from functools import cache

import studio
from studio.plugin_host.host import PluginHost
from studio.settings.distributions import installed_version

_LIBRARIES = ("numpy", "onnx", "onnxruntime", "pillow", "protobuf")
"""What computes in the worker, in addition to the plugins."""


def tools(plugins: PluginHost) -> dict[str, str]:
    """Return the versions of what computes: the studio, Python, libraries, plugins in use."""
    found = {"edgewright": studio.__version__, "python": platform.python_version()}
    found |= {name: version for name in _LIBRARIES if (version := known_version(name))}
    for plugin in plugins.plugins:
        if plugin.manifest is not None:
            # Files of a plugin can change without a new version, so their digest counts.
            own = "" if plugin.built_in else f"+{plugin.digest[:12]}"
            found[plugin.id] = f"{plugin.manifest.version}{own}"
    return dict(sorted(found.items()))


@cache
def known_version(name: str) -> str:
    """Return the version of a distribution; empty when it is not installed."""
    return installed_version(name) or ""
