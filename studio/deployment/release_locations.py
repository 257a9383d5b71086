"""Folders and platform sites of targets; two targets in one place would replace each other."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import urlsplit

from studio.api import StudioError, TargetSpec, UsageError
from studio.targets.connect import is_local, place_of, scheme_of
from studio.targets.platforms import is_platform

_USUAL_PORTS = {"ssh": 22}

Place = tuple[str, ...]
"""A key that is equal for two targets in the same place."""


def require_own_place(target: TargetSpec, known: Sequence[TargetSpec]) -> None:
    """Raise UsageError if a new or moved target has the same place as another target.

    Args:
        known: The current targets.
    """
    try:
        place = _place(target)
    except StudioError:
        return  # without its plugin, nothing can be deployed to it
    known = [one for one in known if not one.endpoint_name]
    if any(one.name == target.name and _is_at(one, place) for one in known):
        return  # the place does not change
    for other in known:
        if other.name != target.name and _is_at(other, place):
            raise _second_name(target, other)


def _second_name(target: TargetSpec, other: TargetSpec) -> UsageError:
    sentence = (
        f"{target.name} has the same address and folder as {other.name}: each would "
        "replace the releases "
    )
    sentence += "of the other."
    if is_platform(target):
        return UsageError(sentence, hint="Use another address.")
    return UsageError(
        sentence,
        hint=f"Use another folder with --root FOLDER, or an endpoint of {other.name}: "
        f"studio deploy MODEL --target {other.name}/{target.name}",
    )


def _is_at(target: TargetSpec, place: Place) -> bool:
    try:
        return _place(target) == place
    except StudioError:
        return False


def _place(target: TargetSpec) -> Place:
    if is_platform(target):
        return ("platform", target.url, *sorted(f"{k}={v}" for k, v in target.settings.items()))
    root = place_of(target)
    if is_local(target):
        return ("local", os.path.realpath(os.path.expanduser(root)))
    return (*_machine(target, root), os.path.normpath(root))


def _machine(target: TargetSpec, root: str) -> Place:
    """Return the place of a machine: its address, and the login if the folder depends on it."""
    scheme, parts = scheme_of(target), urlsplit(target.url)
    user = "" if root.startswith("/") else parts.username or ""
    try:
        port = parts.port or _USUAL_PORTS.get(scheme, 0)
    except ValueError:
        port = 0
    if not parts.hostname:
        return (target.url,)
    return (scheme, user, parts.hostname, str(port))
