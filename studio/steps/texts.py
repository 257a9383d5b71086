"""Sentences for people about the steps for plugins."""

from __future__ import annotations

from studio.documents.text_table import megabytes
from studio.plugin_host.check.results import PluginCheckResult
from studio.steps.results import InstallResult, RemoveResult


def installed(result: InstallResult) -> list[str]:
    """Return the size and the place of an environment."""
    fact = "{} is installed already" if result.existing else "Installed {}"
    return [
        f"{fact.format(result.name)}: {len(result.versions)} packages, "
        f"{megabytes(result.bytes)}, Python {result.python}, in {result.folder}"
    ]


def removed(result: RemoveResult) -> list[str]:
    """Return whose environment was removed."""
    return [f"Removed the environment of {result.plugin}."]


def checked(result: PluginCheckResult) -> list[str]:
    """Return the findings about a plugin, and how many must be fixed."""
    end = f"{result.errors} to fix." if result.errors else "no problems."
    lines = [f"{one.level}: {one.text}" for one in result.findings]
    return [*lines, f"{result.id} {result.version}: {end}"]


def check_exit_code(result: PluginCheckResult) -> int:
    """Return 1 for a plugin that has errors."""
    return 0 if result.ok else 1
