"""The steps of versions: aliases, promotion, rollback, collection, export and import."""

from __future__ import annotations

from studio.api import Kind, Option
from studio.jobs import Arguments, Limits, Result, Step

_VERSION = Option(
    "version",
    title="Version",
    positional=True,
    required=True,
    help="NAME:NUMBER, NAME@ALIAS, NAME for the newest, or the beginning of a digest.",
)
_ALIAS = Option("alias", default="production", title="Alias", help="production, candidate ...")
_BECAUSE = Option(
    "because", title="Reason", help="Reason, stored with the move.", spelling="reason"
)
_NOTHING = "studio.versions.aliases:nothing"
_LIMITS = Limits(seconds=120)

VERSION_ALIAS: Step[Arguments, Result] = Step(
    name="version-alias",
    title="Set the alias of",
    summary="Point an alias to a version.",
    options=(
        _VERSION,
        Option("alias", positional=True, required=True, help="production, candidate ..."),
        Option("remove", Kind.FLAG, default=False, help="Remove the alias."),
    ),
    work=_NOTHING,
    record="studio.versions.aliases:aliased",
    limits=_LIMITS,
)

VERSION_PROMOTE: Step[Arguments, Result] = Step(
    name="version-promote",
    title="Promote",
    summary="Promote a version whose gates passed. The gates are stored as evidence.",
    options=(
        _VERSION,
        _ALIAS,
        Option(
            "run",
            title="Run",
            help="Pipeline run whose gates count (default: the last run that made the version).",
            advanced=True,
        ),
        Option(
            "because",
            title="Without gates, because",
            help="Approve the promotion without passed gates, for this reason.",
            advanced=True,
            spelling="reason",
        ),
    ),
    work=_NOTHING,
    record="studio.versions.aliases:promoted",
    limits=_LIMITS,
)

VERSION_ROLLBACK: Step[Arguments, Result] = Step(
    name="version-rollback",
    title="Roll back the alias of",
    summary="Roll an alias back to its previous version.",
    options=(
        Option("model", title="Model", positional=True, required=True, help="Its name."),
        _ALIAS,
        _BECAUSE,
    ),
    work=_NOTHING,
    record="studio.versions.aliases:rolled_back",
    limits=_LIMITS,
)

REGISTRY_GC: Step[Arguments, Result] = Step(
    name="registry-gc",
    title="Collect garbage",
    summary="Remove bundles that nothing needs: never what runs, has an alias, or may come back.",
    options=(
        Option(
            "keep",
            Kind.INTEGER,
            default=10,
            minimum=1,
            maximum=10_000,
            title="Versions to keep",
            help="So many of each model's newest versions stay in any case.",
        ),
        Option("dry_run", Kind.FLAG, default=False, title="Plan only", help="Remove nothing."),
        Option(
            "forgotten",
            Kind.FLAG,
            default=False,
            title="Also what a restore has forgotten",
            help="Also what lay in the store when the registry was restored, and has no row now.",
            advanced=True,
        ),
    ),
    work=_NOTHING,
    record="studio.versions.garbage:collected",
    limits=_LIMITS,
)

PROJECT_EXPORT: Step[Arguments, Result] = Step(
    name="project-export",
    title="Export",
    summary="Put models with variants, versions, aliases and evidence into one archive.",
    options=(
        Option("out", Kind.OUTPUT, required=True, positional=True, help="The archive (.zip)."),
        Option("model", many=True, title="Models", help="Names; by default all."),
    ),
    work="studio.versions.project_export:export",
    prepare="studio.versions.project_export:prepare",
    record="studio.versions.project_export:exported",
    limits=Limits(seconds=3600),
)

PROJECT_IMPORT: Step[Arguments, Result] = Step(
    name="project-import",
    title="Import",
    summary="Take models, versions and aliases out of an archive; every digest is verified.",
    options=(
        Option("archive", Kind.FILE, required=True, positional=True, help="An exported archive."),
    ),
    work="studio.versions.project_import:unpack",
    record="studio.versions.project_import:imported",
    limits=Limits(seconds=3600),
)
