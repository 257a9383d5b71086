"""Versions by name (``digits:3``, ``digits@production``), and their lineage."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field

from studio.api import UsageError
from studio.documents.dataclass_json import InvalidDocument, JsonValue, from_json
from studio.lazy_dataclass import dataclass
from studio.packages.bundle import MANIFEST, content_digest
from studio.registry import MoveRecord, Registry, VariantRecord, VersionRecord
from studio.versions.results import Lineage, Packaging, RecordedMove, VariantOrigin
from studio.versions.serving_history import served_on

_SHORTEST_DIGEST = 8


@dataclass(frozen=True, slots=True)
class NamedVersion:
    """A version with its model's name and the aliases that point to it."""

    model: str
    version: VersionRecord
    aliases: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the version: ``digits:3``."""
        return f"{self.model}:{self.version.number}"


def model_named(registry: Registry, name: str) -> int:
    """Return the number of a model.

    Raises:
        UsageError: when the model does not exist.
    """
    for model in registry.models():
        if model.name == name:
            return model.id
    known = ", ".join(model.name for model in registry.models()[:8])
    raise UsageError(f"Unknown model {name!r}.", hint=f"Known: {known}." if known else "")


def find_version(registry: Registry, text: str) -> NamedVersion:
    """Return the version of ``NAME``, ``NAME:NUMBER``, ``NAME@ALIAS`` or a digest.

    Raises:
        UsageError: when the version does not exist.
    """
    # A short text may be the name of a model, so a digest needs a minimum length.
    by_digest = [v for v in registry.versions() if v.digest.startswith(text)]
    if len(text) >= _SHORTEST_DIGEST and len(by_digest) == 1:
        return _named(registry, by_digest[0])
    name, at, alias = text.partition("@")
    name, colon, number = name.partition(":")
    model = model_named(registry, name)
    versions = registry.versions(model)
    if at:
        stands = {one.name: one.version for one in registry.ledger.aliases(model)}
        if alias not in stands:
            known = ", ".join(stands) or "none"
            raise UsageError(f"{name} has no alias {alias!r}.", hint=f"Its aliases: {known}.")
        return _named(registry, next(v for v in versions if v.id == stands[alias]))
    wanted = [v for v in versions if not colon or str(v.number) == number]
    if not wanted:
        made = f"{name} has the versions {', '.join(str(v.number) for v in versions)}."
        none = f"Make one: studio package {name}"
        problem = f"Unknown version {number} of {name}." if colon else f"{name} has no version."
        raise UsageError(problem, hint=made if versions else none)
    return _named(registry, wanted[0])


def all_versions(registry: Registry, model: str | None = None) -> list[NamedVersion]:
    """Return the versions of a model (of all), the newest first.

    Raises:
        UsageError: when the model does not exist.
    """
    number = model_named(registry, model) if model else None
    names = {one.id: one.name for one in registry.models()}
    aliases = _aliases(registry)
    return [
        NamedVersion(names[one.model], one, aliases.get(one.id, ()))
        for one in registry.versions(number)
    ]


def lineage(registry: Registry, named: NamedVersion) -> Lineage:
    """Return the lineage of a version: bundle, variants, data, tools and runs."""
    version = named.version
    origin = _BundleOrigin.of(version)
    noted = registry.ledger.packager(str(version.path))
    return Lineage(
        model=named.model,
        version=version.number,
        aliases=named.aliases,
        digest=version.digest,
        content=origin.content,
        counter=version.counter,
        created=origin.created or version.created,
        bundle=str(version.path) if version.path.is_dir() else "",
        tools=origin.lineage.tools if origin.lineage else {},
        packaged=Packaging(noted.options, noted.inputs, noted.source) if noted else None,
        variants=tuple(ancestors(registry, version.variant)),
        targets=tuple(served_on(registry).get(version.digest, ())),
        moves=tuple(_move(registry, move) for move in _moves(registry, version)),
    )


@dataclass(frozen=True, slots=True)
class _Tools:
    tools: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _BundleOrigin:
    """The origin of a bundle, from its manifest; empty if the bundle was removed."""

    content: str = ""
    created: str = ""
    lineage: _Tools | None = None

    @classmethod
    def of(cls, version: VersionRecord) -> _BundleOrigin:
        try:
            manifest = json.loads((version.path / MANIFEST).read_text(encoding="utf-8"))
            if not manifest or not isinstance(manifest, dict):
                return cls()
            return from_json(cls, {**manifest, "content": content_digest(manifest)})
        except (OSError, ValueError, InvalidDocument):
            return cls()


def ancestors(registry: Registry, number: int) -> Iterator[VariantOrigin]:
    """Yield a variant, then what it was made of."""
    variant: VariantRecord | None = registry.variant(number)
    while variant is not None:
        noted = registry.ledger.producer(variant)
        yield VariantOrigin(
            variant=f"{variant.model_name}:{variant.name}",
            digest=variant.digest,
            bytes=variant.size,
            step=variant.step,
            options=variant.options,
            inputs=noted.inputs if noted else {},
            by=noted.source if noted else "",
            created=variant.created,
        )
        variant = registry.variant(variant.parent) if variant.parent is not None else None


def _moves(registry: Registry, version: VersionRecord) -> list[MoveRecord]:
    moves = registry.ledger.moves(version.model)
    return [move for move in moves if version.id in (move.version, move.before)]


def _move(registry: Registry, move: MoveRecord) -> RecordedMove:
    numbers = {one.id: one.number for one in registry.versions(move.model)}
    return RecordedMove(
        alias=move.alias,
        to=numbers.get(move.version or 0),
        before=numbers.get(move.before or 0),
        why=move.why,
        evidence=move.evidence,
        by=move.by,
        at=move.created,
    )


def _named(registry: Registry, version: VersionRecord) -> NamedVersion:
    names = {one.id: one.name for one in registry.models()}
    aliases = _aliases(registry).get(version.id, ())
    return NamedVersion(names[version.model], version, aliases)


def _aliases(registry: Registry) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for alias in registry.ledger.aliases():
        found[alias.version] = (*found.get(alias.version, ()), alias.name)
    return found
