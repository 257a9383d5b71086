"""The steps of versions: aliases, promotion, rollback, garbage collection, export and import."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.api import Kind
from studio.jobs import Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass
from studio.versions.project_listing import PlannedModel, UnpackedProject
from studio.versions.results import AliasMove, ExportResult, GarbageResult, ImportResult


def _version() -> Any:
    return option(
        title="Version",
        positional=True,
        help="Version: NAME:NUMBER, NAME@ALIAS, NAME (the newest) or the start of a digest.",
    )


def _alias() -> Any:
    return option("production", title="Alias", help="production, candidate ...")


@dataclass(frozen=True, slots=True)
class AliasOptions:
    """Options of the step ``version-alias``."""

    version: str = _version()
    alias: str = option(positional=True, help="production, candidate ...")
    remove: bool = option(False, help="Remove the alias.")


@dataclass(frozen=True, slots=True)
class PromoteOptions:
    """Options of the step ``version-promote``."""

    version: str = _version()
    alias: str = _alias()
    run: str | None = option(
        None,
        title="Run",
        help="Pipeline run whose gates count (default: the last run that made the version).",
        advanced=True,
    )
    reason: str | None = option(
        None,
        title="Without gates, because",
        help="Approve the promotion without passed gates, for this reason.",
        advanced=True,
    )


@dataclass(frozen=True, slots=True)
class RollBackOptions:
    """Options of the step ``version-rollback``."""

    model: str = option(title="Model", positional=True, help="Model name.")
    alias: str = _alias()
    reason: str | None = option(None, title="Reason", help="Reason, stored with the move.")


@dataclass(frozen=True, slots=True)
class GarbageOptions:
    """Options of the step ``registry-gc``."""

    keep: int = option(
        10,
        minimum=1,
        maximum=10_000,
        title="Versions to keep",
        help="Number of newest versions of each model to keep in any case.",
    )
    dry_run: bool = option(False, title="Dry run", help="Print the plan and remove nothing.")
    forgotten: bool = option(
        False,
        title="Also what a restore has forgotten",
        help="Also remove files that are unknown since a restore of the registry.",
        advanced=True,
    )


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """Options of the step ``project-export``; its preparation sets ``models``."""

    out: Path = option(kind=Kind.OUTPUT, positional=True, help="Archive to write (.zip).")
    model: tuple[str, ...] | None = option(None, title="Models", help="Model names (default: all).")
    models: tuple[PlannedModel, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """Options of the step ``project-import``."""

    archive: Path = option(kind=Kind.FILE, positional=True, help="Archive to import.")


VERSION_ALIAS: Step[AliasOptions, AliasMove] = Step(
    name="version-alias",
    title="Set the alias of",
    summary="Point an alias to a version.",
    options=AliasOptions,
    result=AliasMove,
    record="studio.versions.aliases:set_alias",
    texts="studio.versions.texts:alias_move",
)

VERSION_PROMOTE: Step[PromoteOptions, AliasMove] = Step(
    name="version-promote",
    title="Promote",
    summary="Promote a version whose gates passed. The gates are stored as evidence.",
    options=PromoteOptions,
    result=AliasMove,
    record="studio.versions.aliases:promote",
    texts="studio.versions.texts:promotion",
)

VERSION_ROLLBACK: Step[RollBackOptions, AliasMove] = Step(
    name="version-rollback",
    title="Roll back the alias of",
    summary="Roll an alias back to its previous version.",
    options=RollBackOptions,
    result=AliasMove,
    record="studio.versions.aliases:roll_back",
    texts="studio.versions.texts:alias_move",
)

REGISTRY_GC: Step[GarbageOptions, GarbageResult] = Step(
    name="registry-gc",
    title="Collect garbage",
    summary="Remove unused bundles. Deployed versions, aliases and rollback versions are kept.",
    options=GarbageOptions,
    result=GarbageResult,
    record="studio.versions.garbage:collect",
    texts="studio.versions.texts:garbage",
)

PROJECT_EXPORT: Step[ExportOptions, ExportResult] = Step(
    name="project-export",
    title="Export",
    summary="Export models with variants, versions, aliases and evidence as an archive.",
    options=ExportOptions,
    result=ExportResult,
    work="studio.versions.project_export:export",
    prepare="studio.versions.project_export:prepare",
    record="studio.versions.project_export:move_to_output",
    texts="studio.versions.texts:export",
    limits=Limits(seconds=3600),
)

PROJECT_IMPORT: Step[ImportOptions, ImportResult] = Step(
    name="project-import",
    title="Import",
    summary="Import models, versions and aliases from an archive. Every digest is verified.",
    options=ImportOptions,
    result=ImportResult,
    work_result=UnpackedProject,
    work="studio.versions.project_import:unpack",
    record="studio.versions.project_import:add_models",
    texts="studio.versions.texts:imported_models",
    limits=Limits(seconds=3600),
)
