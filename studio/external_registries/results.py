"""Results of the steps of external registries, for the command line and pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.api import ModelVersion, RegisteredModel, RegistryEvent
from studio.documents.dataclass_json import JsonValue, keyed, optional
from studio.lazy_dataclass import dataclass
from studio.packages.results import PackageResult


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredVersion:
    """A version in a registry.

    Attributes:
        registry: Address of the registry.
        run: Identifier of the registry for the run that created it.
        references: Names by digest that other programs take, by their kind.
    """

    registry: str
    name: str
    version: str
    aliases: tuple[str, ...]
    run: str
    references: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushResult(RegisteredVersion):
    """A bundle that was registered.

    Attributes:
        release: Digest of its manifest.
        packaged: The bundle packaged during the step, before it is recorded.
    """

    release: str
    packaged: PackageResult | None = optional()


@dataclass(frozen=True, slots=True, kw_only=True)
class PullResult(RegisteredVersion):
    """A pulled version, with its variant and its version in the local registry."""

    model: str
    variant: int
    variant_name: str
    bundle: str
    release: str
    number: int


@dataclass(frozen=True, slots=True)
class ListResult:
    """The models of a registry, or the versions and the history of one model.

    Attributes:
        models: None if a model is named.
    """

    registry: str
    models: tuple[RegisteredModel, ...] | None = optional()
    name: str = optional("")
    versions: tuple[ModelVersion, ...] | None = optional()
    history: tuple[RegistryEvent, ...] | None = optional()


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedAlias:
    """A moved alias; a version is empty if the alias points to none."""

    registry: str
    name: str
    alias: str
    before: str = keyed("from")
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowResult(RegisteredVersion):
    """A poll of an alias, with the change of the target that follows it.

    Attributes:
        action: ``deploy``, ``rollback``, ``unchanged`` or ``waiting``.
        because: The reason recorded with the release on the target.
        details: Result of the deploy or the rollback.
    """

    target: str
    action: str
    release: str
    seconds: float
    because: str = optional("")
    details: Mapping[str, JsonValue] | None = optional()

    @property
    def sentence(self) -> str:
        """The outcome of the poll in a sentence."""
        what = f"version {self.version} of {self.name}"
        if self.action == "unchanged":
            return f"{self.target} serves {what} already."
        if self.action == "rollback":
            return f"{self.target} was rolled back to {what} after {self.seconds:.1f} s."
        return f"{self.target} serves {what} after {self.seconds:.1f} s."
