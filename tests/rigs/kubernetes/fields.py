"""Server-side apply: who owns which field, as managedFields (FieldsV1) keep it."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]
Path = tuple[str, ...]

KEYS = {
    "containers": ("name",),
    "ports": ("containerPort", "port"),
    "env": ("name",),
    "volumes": ("name",),
    "volumeMounts": ("mountPath",),
    "imagePullSecrets": ("name",),
}
"""Lists that are merged by a key of their items; all others are replaced as a whole."""

_NOT_OWNED = {"apiVersion", "kind", "status"}
_META_NOT_OWNED = {"name", "namespace", "uid", "resourceVersion", "generation", "managedFields"}


class Conflict(Exception):
    """Fields that another manager owns: ``[(manager, path), ...]``."""

    def __init__(self, causes: list[tuple[str, str]]) -> None:
        super().__init__(causes)
        self.causes = causes


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field that is owned by itself, with its value."""
    if isinstance(value, dict) and value:
        for key, one in value.items():
            if (path == () and key in _NOT_OWNED) or (
                path == ("f:metadata",) and key in {*_META_NOT_OWNED, "creationTimestamp"}
            ):
                continue
            yield from leaves(one, (*path, f"f:{key}"))
    elif isinstance(value, list) and (name := _key(path, value)):
        for one in value:
            item = (*path, "k:" + json.dumps({name: one[name]}))
            yield (*item, "."), None
            yield from leaves(one, item)
    else:
        yield path, value


def _key(path: Path, value: list[Any]) -> str:
    keys = KEYS.get(path[-1].removeprefix("f:"), ()) if path else ()
    for key in keys:
        if value and all(isinstance(one, dict) and key in one for one in value):
            return key
    return ""


def apply(live: Json | None, manifest: Json, manager: str, force: bool) -> Json:
    """The object after an apply.

    Raises:
        Conflict: where another manager owns a field that would change, unless forced.
    """
    wanted = dict(leaves(manifest))
    if live is None:
        return with_owners(copy.deepcopy(manifest), {(manager, "Apply"): set(wanted)})
    owners = owners_of(live)
    there = dict(leaves(live))
    me = (manager, "Apply")
    causes = [
        (other[0], dotted(path))
        for other, paths in owners.items()
        for path, value in wanted.items()
        if other != me and path in paths and path in there and there[path] != value
    ]
    if causes and not force:
        raise Conflict(causes)
    result = copy.deepcopy(live)
    others = set().union(*(paths for one, paths in owners.items() if one != me))
    for path in sorted(owners.get(me, set()) - set(wanted) - others, key=len, reverse=True):
        _remove(result, path)
    for path, value in wanted.items():
        if path[-1] != ".":
            _set(result, path, copy.deepcopy(value))
    for other in owners:
        if other != me:
            owners[other] -= {path for path in wanted if there.get(path) != wanted[path]}
    owners[me] = set(wanted)
    return with_owners(result, owners)


def written(live: Json, new: Json, manager: str) -> Json:
    """The object after a plain write, which owns what it changed."""
    owners = owners_of(live)
    before = dict(leaves(live))
    changed = {path for path, value in leaves(new) if before.get(path) != value}
    for paths in owners.values():
        paths -= changed
    key = (manager, "Update")
    owners[key] = owners.get(key, set()) | changed
    return with_owners(new, owners)


def owners_of(live: Json) -> dict[tuple[str, str], set[Path]]:
    """Manager and operation -> the fields that they own."""
    return {
        (entry["manager"], entry["operation"]): set(_paths(entry["fieldsV1"]))
        for entry in live["metadata"].get("managedFields") or []
    }


def with_owners(manifest: Json, owners: dict[tuple[str, str], set[Path]]) -> Json:
    """An object with its managedFields written anew."""
    manifest["metadata"]["managedFields"] = [
        {
            "apiVersion": manifest["apiVersion"],
            "fieldsType": "FieldsV1",
            "fieldsV1": _tree(paths),
            "manager": manager,
            "operation": operation,
        }
        for (manager, operation), paths in owners.items()
        if paths
    ]
    return manifest


def dotted(path: Path) -> str:
    """A path as the API's messages write it (``.spec.containers[name="a"].image``)."""
    text = ""
    for part in path:
        if part.startswith("f:"):
            text += "." + part[2:]
        elif part.startswith("k:"):
            (name, value), *_ = json.loads(part[2:]).items()
            text += f"[{name}={json.dumps(value)}]"
    return text


def _tree(paths: set[Path]) -> Json:
    tree: Json = {}
    for path in sorted(paths):
        place = tree
        for part in path:
            place = place.setdefault(part, {})
    return tree


def _paths(tree: Json, path: Path = ()) -> Iterator[Path]:
    if not tree:
        yield path
    for part, below in tree.items():
        yield from _paths(below, (*path, part))


def _find(place: Any, part: str, create: bool) -> Any:
    """The container below, made where it is missing."""
    if part.startswith("f:"):
        return place.setdefault(part[2:], {}) if create else place.get(part[2:])
    wanted = json.loads(part[2:])
    for one in place:
        if wanted.items() <= one.items():
            return one
    if create:
        place.append(dict(wanted))
        return place[-1]
    return None


def _set(manifest: Json, path: Path, value: Any) -> None:
    place: Any = manifest
    for part, following in itertools.pairwise(path):
        if following.startswith("k:") and not isinstance(place.get(part[2:]), list):
            place[part[2:]] = []
        place = _find(place, part, True)
    place[path[-1][2:]] = value


def _remove(manifest: Json, path: Path) -> None:
    place: Any = manifest
    for part in path[:-1]:
        above, place = place, _find(place, part, False)
        if place is None:
            return
    if path[-1] == ".":
        above.remove(place)
    else:
        place.pop(path[-1][2:], None)
