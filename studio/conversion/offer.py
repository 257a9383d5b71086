"""The offer to convert a model of another framework."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from studio.api import Capability, Extension, Unavailable
from studio.conversion.targets import SOURCE, converters_to, targets_of
from studio.lazy_dataclass import dataclass
from studio.models.source_formats import SourceFormat, source_format
from studio.plugin_host import Plugin, PluginHost

if TYPE_CHECKING:
    from studio.plugin_host.environments import Environment


@dataclass(frozen=True, slots=True)
class Conversion:
    """A model of another framework, and what converts it.

    Attributes:
        framework: Title of the converter.
        environment: The environment that the converter works in; None for one without.
    """

    path: Path
    source: SourceFormat
    framework: str
    plugin: Plugin
    environment: Environment | None

    @property
    def is_ready(self) -> bool:
        """Whether nothing has to be installed first."""
        return self.environment is None or self.environment.state().condition.value == "installed"


def conversion_of(path: Path, host: PluginHost) -> Conversion | None:
    """Return how a file becomes a model that the studio opens; None for any other file."""
    source = source_format(path)
    if source is None:
        return None
    capability = converter_for(source, host)
    if capability is None:
        return None
    plugin = _plugin(capability, host)
    environment = host.environment(plugin) if capability.has_environment else None
    return Conversion(path, source, capability.title, plugin, environment)


def converter_for(source: SourceFormat, host: PluginHost) -> Capability | None:
    """Return the converter for a form of models: one that is installed before any other."""
    all_of_them = host.all(Extension.CONVERTER)
    found = [one for one in all_of_them if source.id in one.sources and SOURCE in one.targets]
    return min(found, key=lambda one: not _is_installed(one, host), default=None)


@dataclass(frozen=True, slots=True)
class Export:
    """A format that a model can be exported to, with what is missing for it.

    Attributes:
        title: Of the format.
        precisions: What it can compute in; the first is the usual one.
        frameworks: Titles of the converters, in order.
        missing: Plugins whose environments have to be installed first.
        language: Whether it is a format of language models.
    """

    target: str
    title: str
    precisions: tuple[str, ...]
    frameworks: tuple[str, ...]
    missing: tuple[tuple[Plugin, Environment], ...]
    language: bool = False


def exports(host: PluginHost, source: str = SOURCE) -> list[Export]:
    """Return the formats that the installed plugins make of models of a format."""
    found = []
    for form in targets_of(source):
        try:
            way = converters_to(form, host, source)
        except Unavailable:
            continue
        frameworks = tuple(one.title for one in way)
        missing = missing_of(way, host)
        found.append(
            Export(form.id, form.title, form.precisions, frameworks, missing, form.is_language)
        )
    return found


def licence_sentence(environments: Sequence[Environment]) -> str:
    """Return the kinds of licences of what is installed; the Plugins page lists each package."""
    groups = (group for one in environments for group in one.need.licences.split(";"))
    listed = (group.rpartition(":")[2] for group in groups)
    kinds = {
        kind.partition(" by ")[0].strip()
        for one in listed
        for kind in re.split(r",| and | or ", one)
    } - {""}
    return f"Licences: {', '.join(sorted(kinds))} (Plugins page)." if kinds else ""


def missing_of(
    way: Sequence[Capability], host: PluginHost
) -> tuple[tuple[Plugin, Environment], ...]:
    """Return the plugins of converters whose environments have to be installed first."""
    plugins = [_plugin(one, host) for one in way if not _is_installed(one, host)]
    pairs = [(one, host.environment(one)) for one in plugins]
    return tuple((one, environment) for one, environment in pairs if environment is not None)


def _is_installed(capability: Capability, host: PluginHost) -> bool:
    if not capability.has_environment:
        return True
    environment = host.environment(_plugin(capability, host))
    return environment is not None and environment.state().condition.value == "installed"


def _plugin(capability: Capability, host: PluginHost) -> Plugin:
    return next(one for one in host.plugins if one.id == capability.plugin)
