"""Bundles released on a target, from the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from studio.registry import Registry

if TYPE_CHECKING:
    from studio.monitoring.endpoint.call_step import CallOptions

KnownBundles = Mapping[str, Mapping[str, str]]
"""The folders of the bundle and of the original file, by release."""

_MOST_RELEASES = 50


def prepare(registry: Registry, options: CallOptions) -> CallOptions:
    """Add the known bundles of the target's releases to the options of ``call``."""
    name = options.target.name
    addresses = (release.details.get("endpoint") for release in registry.releases(name))
    endpoint = str(next(filter(None, addresses), ""))
    return replace(options, known=known_bundles(registry, name), endpoint=endpoint)


def known_bundles(registry: Registry, target: str) -> KnownBundles:
    """Return the folders of a target's newest releases that are on this computer."""
    releases = registry.releases(target)
    versions = {version.digest: version for version in registry.versions()}
    known = {}
    for digest in dict.fromkeys(release.digest for release in releases[:_MOST_RELEASES]):
        version = versions.get(digest)
        if version is not None:
            known[digest] = {
                "bundle": str(version.path),
                "beside": _folder_of_original(registry, version.variant),
            }
    return known


def _folder_of_original(registry: Registry, number: int) -> str:
    """Return the folder of the original file of a variant; empty if it is unknown."""
    source = registry.original(registry.variant(number)).source_file
    return str(source.parent) if source is not None else ""
