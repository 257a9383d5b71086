"""Targets as objects: a machine that a channel reaches, or a platform that a plugin operates."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from studio.api import Extension, StudioError, TargetSpec, UsageError
from studio.plugin_host import PluginHost
from studio.targets.connect import is_local, place_of, scheme_of

T = TypeVar("T")

Place = tuple[str, ...]
"""A key that is equal for two targets in the same place."""

_USUAL_PORTS = {"ssh": 22}


class Machine:
    """A computer or a board, on which the studio's release machine runs.

    Attributes:
        holds_trials: Whether a release can be compared with the previous one by live requests.
        stores_requests: Whether clients' requests and decisions can be stored there.
    """

    holds_trials = True
    stores_requests = True

    def __init__(self, spec: TargetSpec) -> None:
        self._spec = spec

    def choose(self, machine: T, platform: object) -> T:
        """Return the one of two ways that is for machines."""
        return machine

    def require_machine(self, sentence: str, hint: str = "") -> None:
        """Allow what only a machine can do; a platform refuses it."""

    def place(self) -> Place:
        """Return the place of the releases: the address and the folder.

        Raises:
            Unavailable: when no plugin connects to the target.
        """
        root = place_of(self._spec)
        if is_local(self._spec):
            return ("local", os.path.realpath(os.path.expanduser(root)))
        return (*self._address(root), os.path.normpath(root))

    def another_place(self, other: TargetSpec) -> str:
        """Return how to move the target away from another target's place."""
        return (
            f"Use another folder with --root FOLDER, or an endpoint of {other.name}: "
            f"studio deploy MODEL --target {other.name}/{self._spec.name}"
        )

    def _address(self, root: str) -> Place:
        """Return the address, and the login if the folder depends on it."""
        parts = urlsplit(self._spec.url)
        if not parts.hostname:
            return (self._spec.url,)
        scheme, user = scheme_of(self._spec), "" if root.startswith("/") else parts.username or ""
        try:
            port = parts.port or _USUAL_PORTS.get(scheme, 0)
        except ValueError:
            port = 0
        return (scheme, user, parts.hostname, str(port))


class Platform:
    """A cloud, a cluster or a container engine, which starts and stops the servers itself."""

    stores_requests = False

    def __init__(self, spec: TargetSpec, declared: Mapping[str, object]) -> None:
        self._spec = spec
        self.holds_trials = declared.get("trials") is True

    def choose(self, machine: object, platform: T) -> T:
        """Return the one of two ways that is for platforms."""
        return platform

    def require_machine(self, sentence: str, hint: str = "") -> None:
        """Refuse what only a machine can do.

        Args:
            sentence: The reason, which follows the target's name.

        Raises:
            UsageError: always.
        """
        raise UsageError(f"{self._spec.name} {sentence}", hint=hint)

    def place(self) -> Place:
        """Return the address with the settings, of which each platform has its own."""
        settings = sorted(f"{name}={value}" for name, value in self._spec.settings.items())
        return ("platform", self._spec.url, *settings)

    def another_place(self, other: TargetSpec) -> str:
        """Return the only way: a platform has one endpoint for each address."""
        return "Use another address."


def open_target(spec: TargetSpec) -> Machine | Platform:
    """Return a target as an object, without importing its plugin."""
    capability = PluginHost.again().answering(scheme_of(spec))
    if capability is None or capability.extension is not Extension.PLATFORM:
        return Machine(spec)
    return Platform(spec, capability.extra)


def require_own_place(target: TargetSpec, known: Sequence[TargetSpec]) -> None:
    """Raise UsageError if a new or moved target has the same place as another target.

    Args:
        known: The current targets.
    """
    try:
        place = open_target(target).place()
    except StudioError:
        return  # without its plugin, nothing can be deployed to it
    known = [one for one in known if not one.endpoint_name]
    if any(one.name == target.name and _is_at(one, place) for one in known):
        return  # the place does not change
    for other in known:
        if other.name != target.name and _is_at(other, place):
            raise UsageError(
                f"{target.name} has the same address and folder as {other.name}: each would "
                "replace the releases of the other.",
                hint=open_target(target).another_place(other),
            )


def _is_at(target: TargetSpec, place: Place) -> bool:
    try:
        return open_target(target).place() == place
    except StudioError:
        return False
