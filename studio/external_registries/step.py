"""The steps of external registries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from studio.api import Kind, Permission
from studio.external_registries.reference import RegistryAddress
from studio.external_registries.results import (
    ListResult,
    MovedAlias,
    PullResult,
    PushResult,
    RegisteredVersion,
)
from studio.jobs import Effect, Limits, Step, Use
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.models.results import OpenResult
from studio.packages.step import Numbering
from studio.registry import ModelRef

NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})
_DEFAULT = "mlflow"
_UNPLACED = RegistryAddress("")
_WHERE = (
    "Name of a saved registry, an address (http://host:5000, oci://HOST/PATH), or mlflow for "
    "MLFLOW_TRACKING_URI."
)


def _registry() -> Any:
    return option(_DEFAULT, help=_WHERE)


@dataclass(frozen=True, kw_only=True)
class PlacedOptions:
    """Options of a step with a registry, whose address is added before the work starts."""

    place: RegistryAddress = _UNPLACED


@dataclass(frozen=True, slots=True)
class PublishedFigures:
    """Metrics of a variant published with its bundle: measurements, options, lineage."""

    metrics: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class PushOptions(PlacedOptions):
    """Options of the step ``registry-push``; registry data is added before the work starts."""

    model: ModelRef | None = option(
        None,
        kind=Kind.MODEL,
        positional=True,
        help="Model, version (NAME:NUMBER or NAME@ALIAS) or bundle folder.",
    )
    registry: str = option(_DEFAULT, title="To", help=_WHERE)
    name: str | None = option(
        None, title="Registered name", help="Name in the registry (default: the model name)."
    )
    alias: tuple[str, ...] | None = option(
        None, title="Aliases", help="Alias, such as champion or challenger."
    )
    description: str | None = option(None, help="Description of the version.")
    version: int | None = option(
        None,
        minimum=1,
        help="Existing local version to push, instead of a new one.",
        advanced=True,
    )
    bundle: Path | None = option(
        None, kind=Kind.FOLDER, help="Bundle folder, instead of a model.", advanced=True
    )
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Golden samples",
        help="Data for golden samples.",
        advanced=True,
        project=("calibration",),
    )
    labels: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Class names, one per line.",
        advanced=True,
        project=("labels",),
    )
    preprocess: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Input preprocessing, a preprocess.toml.",
        advanced=True,
        project=("preprocess",),
    )
    set: tuple[str, ...] | None = option(
        None,
        title="Options of the registry",
        help="Registry option as NAME=VALUE, such as experiment=NAME.",
        advanced=True,
    )
    numbering: Numbering | None = None
    figures: PublishedFigures = PublishedFigures()


@dataclass(frozen=True, kw_only=True)
class PullOptions(PlacedOptions):
    """Options of the step ``registry-pull``; ``known`` are folders of local bundles."""

    name: str = option(
        title="Version",
        positional=True,
        help="Version as NAME, NAME/VERSION, NAME@ALIAS or oci://HOST/PATH@sha256:...",
    )
    registry: str = _registry()
    signers: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Allowed signers",
        help="Refuse a bundle that none of these has signed: a file in the format of ssh-keygen.",
        advanced=True,
    )
    out: Path | None = option(
        None,
        kind=Kind.OUTPUT,
        title="Folder",
        help="Folder for a copy of the bundle.",
        advanced=True,
    )
    known: tuple[Path, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ListOptions(PlacedOptions):
    """Options of the step ``registry-list``."""

    name: str | None = option(
        None, title="Model", positional=True, help="Registered model (default: all)."
    )
    registry: str = _registry()


@dataclass(frozen=True, kw_only=True)
class MoveAliasOptions(PlacedOptions):
    """Options of the step ``registry-alias``."""

    name: str = option(title="Model", positional=True, help="Registered model.")
    alias: str = option(positional=True, help="Alias, such as champion or challenger.")
    version: str | None = option(None, positional=True, help="Version number.")
    remove: bool = option(False, help="Remove the alias.")
    registry: str = _registry()


@dataclass(frozen=True, slots=True)
class FetchedBundle:
    """A bundle that was fetched, or packaged from a fetched model."""

    bundle: str
    digest: str
    name: str
    version: int
    counter: int
    created: str = ""


@dataclass(frozen=True, slots=True)
class FetchedFiles:
    """The files of a version: its opened model, and its bundle."""

    opened: OpenResult
    packaged: FetchedBundle


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedVersion(RegisteredVersion):
    """A version with fetched files, before it is recorded."""

    files: FetchedFiles


REGISTRY_PUSH: Step[PushOptions, PushResult] = Step(
    name="registry-push",
    title="Push",
    summary="Register a bundle in a registry, with metrics and lineage.",
    options=PushOptions,
    result=PushResult,
    work="studio.external_registries.work:push",
    prepare="studio.external_registries.record:prepare_push",
    record="studio.external_registries.record:record_push",
    texts="studio.external_registries.texts:push",
    needs=NEEDS,
    limits=Limits(seconds=3600),
    use=Use.SERVE,
)

REGISTRY_PULL: Step[PullOptions, PullResult] = Step(
    name="registry-pull",
    title="Pull",
    summary="Pull a version from a registry into the local registry.",
    options=PullOptions,
    result=PullResult,
    work_result=FetchedVersion,
    work="studio.external_registries.work:pull",
    prepare="studio.external_registries.record:prepare_pull",
    record="studio.external_registries.record:record_pull",
    texts="studio.external_registries.texts:pull",
    needs=NEEDS,
    limits=Limits(seconds=3600),
    effect=Effect.LOOKS,
)

REGISTRY_LIST: Step[ListOptions, ListResult] = Step(
    name="registry-list",
    title="List",
    summary="List the models of a registry, or the versions and history of one.",
    options=ListOptions,
    result=ListResult,
    work="studio.external_registries.work:list_models",
    prepare="studio.external_registries.record:prepare",
    texts="studio.external_registries.texts:listing",
    needs=NEEDS,
    limits=Limits(seconds=600),
    effect=Effect.LOOKS,
    in_history=False,
)

REGISTRY_ALIAS: Step[MoveAliasOptions, MovedAlias] = Step(
    name="registry-alias",
    title="Move an alias of",
    summary="Point an alias to a version. Targets that follow the alias are updated.",
    options=MoveAliasOptions,
    result=MovedAlias,
    work="studio.external_registries.work:move_alias",
    prepare="studio.external_registries.record:prepare",
    record="studio.external_registries.record:record_alias",
    texts="studio.external_registries.texts:alias",
    needs=NEEDS,
    limits=Limits(seconds=600),
)
