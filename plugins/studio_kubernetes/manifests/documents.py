"""Manifests as text: YAML that is the same each time, and the difference of two objects."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import Any

import yaml

from studio_kubernetes.manifests.workload import Json

_OWN = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid")
"""Metadata that the cluster writes."""

_FIRST = {key: place for place, key in enumerate(("apiVersion", "kind", "metadata", "spec"))}


class _Dumper(yaml.SafeDumper):
    """Plain blocks, no anchors: an object that stands twice is written twice."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def to_yaml(manifest: Json | Sequence[Json]) -> str:
    """Return an object or a list as YAML; identifying keys first, the others sorted."""
    return yaml.dump(
        _ordered(manifest),
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=False,
        allow_unicode=True,
        width=100,
    )


def join(manifests: Iterable[Json]) -> str:
    """Join several objects into one stream."""
    return "---\n".join(to_yaml(manifest) for manifest in manifests)


def _ordered(value: Any, top: bool = True) -> Any:
    if isinstance(value, dict):
        first = _FIRST if top else {"name": 0}
        keys = sorted(value, key=lambda key: (first.get(key, len(first)), key))
        return {key: _ordered(value[key], False) for key in keys}
    if isinstance(value, (list, tuple)):
        return [_ordered(one, False) for one in value]
    return value


def file_names(manifests: Sequence[Json]) -> dict[str, Json]:
    """Return a file name for each object: its kind, with its name if a kind repeats."""
    kinds = [manifest["kind"].lower() for manifest in manifests]
    found = {}
    for kind, manifest in zip(kinds, manifests, strict=True):
        name = kind if kinds.count(kind) == 1 else f"{kind}-{manifest['metadata']['name']}"
        found[f"{name}.yaml"] = manifest
    return found


def without_own(live: Json) -> Json:
    """Return an object without the fields that the cluster itself writes."""
    meta = {key: value for key, value in live.get("metadata", {}).items() if key not in _OWN}
    annotations = {
        key: value
        for key, value in (meta.get("annotations") or {}).items()
        if not key.startswith("deployment.kubernetes.io/")
    }
    if annotations:
        meta["annotations"] = annotations
    rest = {key: value for key, value in live.items() if key not in ("metadata", "status")}
    return {**rest, "metadata": meta}


def difference(before: Json | None, after: Json | None) -> str:
    """Return the changes as a unified diff, or "" if nothing changes."""
    known = after or before or {}
    name = f"{known.get('kind', '')}/{known.get('metadata', {}).get('name', '')}"
    old = to_yaml(without_own(before)).splitlines(True) if before else []
    new = to_yaml(without_own(after)).splitlines(True) if after else []
    return "".join(difflib.unified_diff(old, new, f"{name} (there)", f"{name} (new)"))
