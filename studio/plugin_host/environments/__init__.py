"""Virtual environments of plugins: declared, made, looked at, used, removed."""

from studio.plugin_host.environments.environment import Condition, Environment, EnvironmentState
from studio.plugin_host.environments.toolchain import PluginToolchain

__all__ = ["Condition", "Environment", "EnvironmentState", "PluginToolchain"]
