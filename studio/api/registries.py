"""Model registries outside the studio: what is pushed to them, and what they know.

A registry is opened at an address and gives a session, whose verbs are all that the studio uses.
Credentials are the registry's own affair: its plugin reads them where its users keep them, and
an address never carries any.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any, Protocol

from studio.api.progress import Progress
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A name in a registry.

    Attributes:
        latest: Its newest version; empty while it has none.
        aliases: The version that each alias (``champion``) stands for.
    """

    name: str
    latest: str = ""
    aliases: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ModelVersion:
    """One version of a registered model.

    Attributes:
        created: When it was registered (ISO 8601, UTC).
        run: The run that made it, by the registry's own identifier.
        release: Digest of the bundle that it is; empty where the studio did not push it.
        references: Names by digest that other programs take (``modelpack``, ``modelcar``); empty
            for a registry without them.
    """

    name: str
    version: str
    created: str = ""
    aliases: tuple[str, ...] = ()
    run: str = ""
    release: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegistryEvent:
    """Something that happened to a registered model.

    Attributes:
        at: When (ISO 8601, UTC).
        what: ``registered`` or ``alias``.
        text: A short sentence, with who did it where that is known.
    """

    at: str
    what: str
    version: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """What is pushed: a bundle, and what the built-in registry knows about its model.

    Attributes:
        bundle: Folder of the verified bundle.
        digest: SHA-256 of its manifest.
        manifest: The bundle's ``manifest.json``.
        name: The registered model's name.
        metrics: Figures by name; units are part of the names (``latency_p50_ms``).
        parameters: What it was made with.
        tags: Where it comes from (parent, tools, who pushed it).
        aliases: Set on the new version.
    """

    bundle: Path
    digest: str
    manifest: Mapping[str, Any]
    name: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    aliases: tuple[str, ...] = ()
    description: str = ""


class RegistrySession(Protocol):
    """A registry that was opened. Every verb raises TargetError when it refuses or is away.

    Attributes:
        address: Where it is, as shown to people; without credentials.
    """

    address: str

    def models(self) -> Sequence[RegisteredModel]:
        """All registered models, by name."""

    def versions(self, name: str) -> Sequence[ModelVersion]:
        """The versions of a model, the newest first.

        Raises:
            UsageError: when there is no such model.
        """

    def find(self, name: str, version: str = "", alias: str = "") -> ModelVersion:
        """The version that a number or an alias means; the newest where neither is given.

        Raises:
            UsageError: when there is no such model, version or alias.
        """

    def set_alias(self, name: str, alias: str, version: str, by: str) -> ModelVersion:
        """Let an alias stand for a version, whatever it stood for before.

        Raises:
            UsageError: when there is no such version, or no such alias can be.
        """

    def remove_alias(self, name: str, alias: str, by: str) -> None:
        """Take an alias away.

        Raises:
            UsageError: when there is none.
        """

    def history(self, name: str) -> Sequence[RegistryEvent]:
        """What is known to have happened to a model, the newest first."""

    def push(
        self, publication: Publication, options: Mapping[str, object], progress: Progress
    ) -> ModelVersion:
        """Register a bundle as a new version; when it fails, nothing of it is left registered."""

    def pull(self, version: ModelVersion, folder: Path, progress: Progress) -> Path:
        """Fetch a version into a folder.

        Returns:
            The folder of a bundle, or a model's file where the version is no bundle of ours.

        Raises:
            TargetError: when it is gone, larger than the disk, or not what was listed.
        """

    def close(self) -> None:
        """Let go of the connection."""
