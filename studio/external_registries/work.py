"""The work of the steps of external registries: push, pull, list, alias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path

from studio.api import (
    Extension,
    ModelRegistry,
    ModelVersion,
    Progress,
    Publication,
    RegistrySession,
    UsageError,
    validate,
)
from studio.documents.dataclass_json import JsonValue, from_json
from studio.external_registries.pull import fetch
from studio.external_registries.reference import Reference, RegistryAddress
from studio.external_registries.results import (
    ListResult,
    MovedAlias,
    PushResult,
    RegisteredVersion,
)
from studio.external_registries.step import (
    FetchedVersion,
    ListOptions,
    MoveAliasOptions,
    PullOptions,
    PushOptions,
)
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.packages import Bundle
from studio.packages.packaging_job import package_contained
from studio.packages.results import PackageResult
from studio.packages.step import PackageOptions
from studio.plugin_host import PluginHost
from studio.settings.user import owner
from studio.targets.platforms import parse_pairs


def push(options: PushOptions, job: Job) -> PushResult:
    """Register a model's bundle; without a bundle, package the model in a sandbox first."""
    chosen = validate(_kind(options.place).options, parse_pairs(options.set or ()))
    with opened(options.place, job) as session:
        packaged, folder = None, options.bundle
        if folder is None:
            packaged = _package(options, job)
            folder = Path(packaged.bundle)
        bundle = Bundle.open(folder)
        version = session.push(_publication(options, bundle), chosen, job)
        registered = described(session, version)
        return PushResult(**asdict(registered), release=bundle.digest, packaged=packaged)


def pull(options: PullOptions, job: Job) -> FetchedVersion:
    """Fetch a version, and open its model in a sandbox."""
    with opened(options.place, job) as session:
        version = Reference.of(options.name).find(session)
        files = fetch(session, version, options.known, job, options.signers)
        return FetchedVersion(**asdict(described(session, version)), files=files)


def list_models(options: ListOptions, job: Job) -> ListResult:
    """Return the registered models, or the versions and the history of one."""
    with opened(options.place, job) as session:
        if not options.name:
            return ListResult(session.address, models=tuple(session.models()))
        name = Reference.of(options.name).name
        return ListResult(
            session.address,
            name=name,
            versions=tuple(session.versions(name)),
            history=tuple(session.history(name)),
        )


def move_alias(options: MoveAliasOptions, job: Job) -> MovedAlias:
    """Move or remove an alias."""
    name, alias, version = options.name, options.alias, options.version or ""
    if bool(version) == options.remove:
        raise UsageError("An alias needs a version, or --remove.")
    with opened(options.place, job) as session:
        before = next((m.aliases.get(alias) for m in session.models() if m.name == name), None)
        if options.remove:
            session.remove_alias(name, alias, owner())
        else:
            session.set_alias(name, alias, version, owner())
        return MovedAlias(
            registry=session.address, name=name, alias=alias, before=before or "", to=version
        )


@contextmanager
def opened(place: RegistryAddress, progress: Progress) -> Iterator[RegistrySession]:
    """Open a session with a registry, and close it at the end."""
    with closing(_kind(place).open(place.address, progress)) as session:
        yield session


def described(session: RegistrySession, version: ModelVersion) -> RegisteredVersion:
    """Return a version in the form of results."""
    return RegisteredVersion(
        registry=session.address,
        name=version.name,
        version=version.version,
        aliases=version.aliases,
        run=version.run,
        references=version.references,
    )


def _kind(place: RegistryAddress) -> ModelRegistry:
    kind: ModelRegistry = PluginHost.discover().get(Extension.REGISTRY, place.kind)
    return kind


def _package(options: PushOptions, job: Job) -> PackageResult:
    assert options.model is not None  # ``prepare_push`` refuses a push without a model
    package = PackageOptions(
        model=options.model,
        data=options.data,
        labels=options.labels,
        preprocess=options.preprocess,
        numbering=options.numbering,
    )
    return package_contained(package, job)


@dataclass(frozen=True, slots=True)
class _Lineage:
    parent: str | None = None
    tools: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class _Manifest:
    lineage: _Lineage | None = None


def _publication(options: PushOptions, bundle: Bundle) -> Publication:
    figures = options.figures
    lineage = from_json(_Manifest, bundle.raw).lineage or _Lineage()
    tools = {f"edgewright.tool.{name}": str(v) for name, v in (lineage.tools or {}).items()}
    return Publication(
        bundle=bundle.folder,
        digest=bundle.digest,
        manifest=bundle.raw,
        name=options.name or bundle.name,
        metrics={**figures.metrics, "bundle_bytes": float(bundle.size)},
        parameters=figures.parameters,
        tags={
            "edgewright.model.digest": lineage.parent or "",
            **tools,
            **figures.tags,
            "edgewright.bundle.version": str(bundle.version),
            "edgewright.by": owner(),
        },
        aliases=tuple(options.alias or ()),
        description=options.description or "",
    )
