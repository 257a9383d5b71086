"""The manifest of a plugin: what it offers, needs and may do."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from studio.api.toolchains import EnvironmentNeed
from studio.lazy_dataclass import dataclass

API_VERSION = 2
"""The newest version; plugins of version 1 load as they are (see docs/plugins.md)."""

PANEL_AREAS = frozenset(
    {"welcome", "model", "quantize", "profile", "deploy", "try", "monitor", "targets"}
)
"""The pages that a panel can belong to, by its key ``area``."""


class Extension(enum.Enum):
    """The extension points; the value is the table's name in ``plugin.toml``."""

    FORMAT = "formats"
    ANALYZER = "analyzers"
    TRANSFORM = "transforms"
    BACKEND = "backends"
    TEXT_BACKEND = "text_backends"
    PACKAGER = "packagers"
    TARGET = "targets"
    PLATFORM = "platforms"
    MONITOR = "monitors"
    REGISTRY = "registries"
    STATE = "states"
    EXECUTOR = "executors"
    CONVERTER = "converters"
    COMPILER = "compilers"
    METRIC = "metrics"
    CHECK = "checks"
    PANEL = "panels"
    SHEET = "sheets"


class Permission(enum.Enum):
    """What a worker that runs a plugin's code may reach."""

    NETWORK = "network"
    HOME = "home"
    SECRETS = "secrets"
    PROCESSES = "processes"


@dataclass(frozen=True, slots=True)
class Capability:
    """One thing that a plugin adds.

    Attributes:
        id: Unique within its extension point.
        factory: ``"package.module:attribute"``, imported on first use and called without arguments.
        extra: The manifest's other keys (``schemes``, ``suffixes``, ``area``).
    """

    extension: Extension
    id: str
    title: str
    factory: str
    plugin: str
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def schemes(self) -> tuple[str, ...]:
        """Schemes of the addresses that it answers for."""
        return tuple(self.extra.get("schemes", ()))

    @property
    def suffixes(self) -> tuple[str, ...]:
        """Suffixes of the files that it reads."""
        return tuple(self.extra.get("suffixes", ()))

    @property
    def sources(self) -> tuple[str, ...]:
        """Forms of models that a converter reads."""
        return tuple(self.extra.get("sources", ()))

    @property
    def targets(self) -> tuple[str, ...]:
        """Forms of models that a converter writes: ONNX unless it names others."""
        return tuple(self.extra.get("targets", ("onnx",)))

    @property
    def area(self) -> str:
        """The page that a panel belongs to."""
        return str(self.extra.get("area", ""))

    @property
    def edits(self) -> bool:
        """Whether a transform edits a model instead of making it smaller."""
        return bool(self.extra.get("edits"))

    @property
    def has_environment(self) -> bool:
        """Whether it runs in the environment of its plugin."""
        return bool(self.extra.get("environment"))

    @property
    def formats(self) -> tuple[str, ...]:
        """Formats of models that it names."""
        return tuple(self.extra.get("formats", ()))

    def takes(self, form: str) -> bool:
        """Whether it takes models of a format; one that names no formats takes all."""
        return form in self.extra.get("formats", (form,))


@dataclass(frozen=True, slots=True)
class Manifest:
    """The content of a ``plugin.toml``.

    Attributes:
        optional: Requirements that it can do without; it says itself what it lacks then.
        environment: The virtual environment that it wants for itself; None for most.
        notes: Sentences about parts of the manifest that have no effect.
    """

    id: str
    name: str
    version: str
    api: int
    requires: tuple[str, ...] = ()
    permissions: frozenset[Permission] = frozenset()
    capabilities: tuple[Capability, ...] = ()
    description: str = ""
    environment: EnvironmentNeed | None = None
    optional: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
