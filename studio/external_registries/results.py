"""Results of the steps of registries outside, as the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from studio.api import ModelVersion, RegisteredModel, RegistryEvent
from studio.documents.dataclass_json import JsonValue, keyed, optional
from studio.packages.results import PackageResult


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredVersion:
    """A version in a registry.

    Attributes:
        registry: Address of the registry.
        run: The run that made it, by the registry's own identifier.
    """

    registry: str
    name: str
    version: str
    aliases: tuple[str, ...]
    run: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult(RegisteredVersion):
    """A bundle that was registered.

    Attributes:
        release: Digest of its manifest.
        packaged: The bundle that was made on the way, until it is recorded.
    """

    release: str
    packaged: PackageResult | None = optional()


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult(RegisteredVersion):
    """A version that was fetched, with the variant and the version that it became here."""

    model: str
    variant: int
    variant_name: str
    bundle: str
    release: str
    number: int


@dataclass(frozen=True, slots=True)
class ListResult:
    """The models of a registry, or the versions and the history of one.

    Attributes:
        models: None where one model was named.
    """

    registry: str
    models: tuple[RegisteredModel, ...] | None = optional()
    name: str = optional("")
    versions: tuple[ModelVersion, ...] | None = optional()
    history: tuple[RegistryEvent, ...] | None = optional()


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedAlias:
    """An alias that was moved; versions are empty where it stands for none."""

    registry: str
    name: str
    alias: str
    before: str = keyed("from")
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowResult(RegisteredVersion):
    """One look at an alias, and what was done on the target that follows it.

    Attributes:
        action: ``deploy``, ``rollback``, ``unchanged`` or ``waiting``.
        because: The reason that stands beside the release on the target.
        details: Result of the deploy or of the rollback.
    """

    target: str
    action: str
    release: str
    seconds: float
    because: str = optional("")
    details: Mapping[str, JsonValue] | None = optional()

    @property
    def sentence(self) -> str:
        """What became of the look."""
        what = f"version {self.version} of {self.name}"
        if self.action == "unchanged":
            return f"{self.target} serves {what} already."
        if self.action == "rollback":
            return f"{self.target} was rolled back to {what} after {self.seconds:.1f} s."
        return f"{self.target} serves {what} after {self.seconds:.1f} s."
