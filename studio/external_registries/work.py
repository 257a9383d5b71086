"""The work of the steps that talk to a registry: push, pull, list, alias."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

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
from studio.deployment.step_log import owner
from studio.external_registries.pull import fetch
from studio.external_registries.reference import Reference
from studio.jobs import Arguments, Job, Result
from studio.packages import Bundle
from studio.packages.packaging_job import packaged_from
from studio.plugin_host import PluginHost
from studio.targets.platforms import parse_pairs


def push(arguments: Arguments, job: Job) -> Result:
    """Register a model's bundle, which is made behind walls of its own where there is none."""
    kind = _kind(arguments)
    options = validate(kind.options, parse_pairs(arguments.get("set") or []))
    with opened(arguments, job) as session:
        packaged = None if arguments.get("bundle") else packaged_from(arguments, job)
        bundle = Bundle.open(Path(packaged["bundle"] if packaged else arguments["bundle"]))
        version = session.push(_publication(arguments, bundle), options, job)
        return {**described(session, version), "release": bundle.digest, "packaged": packaged}


def pull(arguments: Arguments, job: Job) -> Result:
    """Fetch a version, and open its model behind walls of its own."""
    with opened(arguments, job) as session:
        version = Reference.of(arguments["name"]).find(session)
        return {**described(session, version), **fetch(session, version, arguments, job)}


def list_models(arguments: Arguments, job: Job) -> Result:
    """The registered models, or the versions and the history of one."""
    with opened(arguments, job) as session:
        if not arguments.get("name"):
            models = [asdict(model) for model in session.models()]
            return {"registry": session.address, "models": models}
        name = Reference.of(arguments["name"]).name
        return {
            "registry": session.address,
            "name": name,
            "versions": [asdict(version) for version in session.versions(name)],
            "history": [asdict(event) for event in session.history(name)],
        }


def alias(arguments: Arguments, job: Job) -> Result:
    """Move an alias, or take it away."""
    name, text = arguments["name"], arguments["alias"]
    if bool(arguments.get("version")) == bool(arguments.get("remove")):
        raise UsageError("An alias needs a version, or --remove.")
    with opened(arguments, job) as session:
        before = next((m.aliases.get(text) for m in session.models() if m.name == name), None)
        if arguments.get("remove"):
            session.remove_alias(name, text, owner())
        else:
            session.set_alias(name, text, str(arguments["version"]), owner())
        return {
            "registry": session.address,
            "name": name,
            "alias": text,
            "from": before or "",
            "to": "" if arguments.get("remove") else str(arguments["version"]),
        }


@contextmanager
def opened(arguments: Arguments, progress: Progress) -> Iterator[RegistrySession]:
    """A session with the registry of some arguments, closed in the end."""
    session = _kind(arguments).open(arguments["place"]["address"], progress)
    try:
        yield session
    finally:
        session.close()


def described(session: RegistrySession, version: ModelVersion) -> dict[str, Any]:
    """A version, in the keys of results."""
    return {
        "registry": session.address,
        "name": version.name,
        "version": version.version,
        "aliases": list(version.aliases),
        "run": version.run,
    }


def _kind(arguments: Arguments) -> ModelRegistry:
    kind: ModelRegistry = PluginHost.discover().get(Extension.REGISTRY, arguments["place"]["kind"])
    return kind


def _publication(arguments: Arguments, bundle: Bundle) -> Publication:
    figures: Mapping[str, Any] = arguments.get("figures") or {}
    lineage = dict(bundle.raw.get("lineage") or {})
    tools = {f"edgewright.tool.{k}": str(v) for k, v in dict(lineage.get("tools") or {}).items()}
    return Publication(
        bundle=bundle.folder,
        digest=bundle.digest,
        manifest=bundle.raw,
        name=arguments.get("name") or bundle.name,
        metrics={**figures.get("metrics", {}), "bundle_bytes": float(bundle.size)},
        parameters=figures.get("parameters", {}),
        tags={
            "edgewright.model.digest": str(lineage.get("parent") or ""),
            **tools,
            **figures.get("tags", {}),
            "edgewright.bundle.version": str(bundle.version),
            "edgewright.by": owner(),
        },
        aliases=tuple(arguments.get("alias") or ()),
        description=arguments.get("description") or "",
    )
