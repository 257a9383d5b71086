"""Lines of the command line about external registries."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.text_table import table
from studio.external_registries.results import (
    FollowResult,
    ListResult,
    MovedAlias,
    PullResult,
    PushResult,
)


def push(result: PushResult) -> list[str]:
    """Return the registered version of a bundle."""
    aliases = f", {', '.join(result.aliases)}" if result.aliases else ""
    return [
        f"{result.name} version {result.version}{aliases} in {result.registry}",
        *([f"Its run is {result.run}"] if result.run else []),
        *(f"{kind}: {reference}" for kind, reference in sorted(result.references.items())),
    ]


def pull(result: PullResult) -> list[str]:
    """Return the local variant and version of a pulled version."""
    return [
        f"{result.name} version {result.version} of {result.registry} is here as "
        f"{result.model}:{result.variant_name}, version {result.number}",
        result.bundle,
    ]


def listing(result: ListResult) -> list[str]:
    """Return the table of models, or those of a model's versions and history."""
    if result.models is not None:
        rows = [(one.name, one.latest, _aliases(one.aliases)) for one in result.models]
        return table(("model", "latest", "aliases"), rows) if rows else ["No model is registered."]
    versions = [
        (one.version, ", ".join(one.aliases), one.created[:19], one.release[:12])
        for one in result.versions or ()
    ]
    events = [(one.at[:19], one.version, one.what, one.text) for one in result.history or ()]
    return [
        *table(("version", "aliases", "registered", "release"), versions),
        "",
        *table(("at", "version", "what", ""), events),
    ]


def _aliases(aliases: Mapping[str, str]) -> str:
    return ", ".join(f"{alias} {version}" for alias, version in sorted(aliases.items()))


def alias(result: MovedAlias) -> list[str]:
    """Return the version that a moved alias points to."""
    before = f", before {result.before}" if result.before else ""
    what = f"is version {result.to}" if result.to else "is gone"
    return [f"{result.name}@{result.alias} {what}{before}"]


def follow(result: FollowResult) -> list[str]:
    """Return the outcome of a poll of an alias."""
    return [result.sentence]
