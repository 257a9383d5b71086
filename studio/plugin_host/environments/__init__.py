"""Virtual environments of plugins: declared, made, looked at, used, removed."""

from studio.plugin_host.environments.environment import (
    Environment,
    EnvironmentCondition,
    EnvironmentState,
)
from studio.plugin_host.environments.toolchain import PluginToolchain

__all__ = ["Environment", "EnvironmentCondition", "EnvironmentState", "PluginToolchain"]
