"""Bundles released on a target, from the registry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.monitoring.endpoint.call_step import CallOptions
    from studio.monitoring.live_step import LiveOptions
    from studio.registry import Registry

KnownBundles = Mapping[str, Mapping[str, str]]
"""The folders of the bundle and of the original file, by release."""

_MOST_RELEASES = 50


def prepare(registry: Registry, options: CallOptions) -> CallOptions:
    """Add the known bundles of the target's releases to the options of ``call``."""
    name = options.target.name
    known, endpoint = known_bundles(registry, name), _last_endpoint(registry, name)
    return replace(options, known=known, endpoint=endpoint)


def prepare_live(registry: Registry, options: LiveOptions) -> LiveOptions:
    """Add the known bundles of the target's releases to the options of a live watch."""
    name = options.target.name
    known, endpoint = known_bundles(registry, name), _last_endpoint(registry, name)
    return replace(options, known=known, endpoint=endpoint)


def _last_endpoint(registry: Registry, target: str) -> str:
    """Return the address of a target's last release; empty if it is unknown."""
    addresses = (release.details.get("endpoint") for release in registry.releases(target))
    return str(next(filter(None, addresses), ""))


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
