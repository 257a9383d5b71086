"""The approval that a step needs: of its author's promise, or of targets that are protected."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from studio.api import Refused, TargetSpec
from studio.jobs import AnyStep
from studio.jobs.protection_guard import ProtectionGuard
from studio.registry import Registry
from studio.registry.endpoints import SIGN as BELOW
from studio.registry.labels import APPROVAL, REQUIRED, Labels
from studio.steps.resolve import Resolved

_NAMED = 3
_USUAL_PORTS = {"ssh": 22}


class NeedsApproval(Refused):
    """A step that starts from an approved plan alone."""


class ProtectedTargets:
    """The targets that are labelled for an approval, and others with their addresses."""

    def __init__(self, labels: Labels) -> None:
        found = labels.having(APPROVAL, REQUIRED)
        self.identities = labels.identities(APPROVAL, REQUIRED)
        self._names, self._addresses = frozenset(found), frozenset(map(_spelled, found.values()))

    def __contains__(self, target: TargetSpec) -> bool:
        name = target.name.partition(BELOW)[0]
        is_named = name in self._names or _spelled(target.url) in self._addresses
        return is_named or target.host_key in self.identities


def _spelled(url: str) -> str:
    """Return an address in one spelling, without login and usual port.

    Names are not resolved: that is done where a connection is made (studio.targets.protection).
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return url
    if not parts.hostname:
        return url
    host = parts.hostname
    with suppress(OSError, ValueError):
        host = socket.inet_ntoa(socket.inet_aton(host))  # 127.1, 0177.0.0.1
    other_port = "" if port in (None, _USUAL_PORTS.get(parts.scheme)) else f":{port}"
    return f"{parts.scheme}://{host}{other_port}{parts.path.rstrip('/')}"


def protected_targets(step: AnyStep, resolved: Resolved, registry: Registry) -> list[str]:
    """Return the protected targets whose release a step changes."""
    if not step.awaits_approval:
        return []
    protected = ProtectedTargets(registry.labels)
    return [one.name for one in resolved.targets if one in protected]


def guard_of(
    step: AnyStep, resolved: Resolved, seal: str, registry: Registry
) -> ProtectionGuard | None:
    """Return what the worker of a step has to know of protected targets; None without targets."""
    arguments = resolved.arguments
    if not resolved.targets or arguments.get("dry_run"):
        return None
    protected = ProtectedTargets(registry.labels)
    names = tuple(one.name for one in resolved.targets if one in protected)
    is_change = step.awaits_approval and not _is_approved(arguments, seal)
    return ProtectionGuard(is_change, names, protected.identities)


def _is_approved(arguments: Mapping[str, Any], seal: str) -> bool:
    return bool(seal or arguments.get("resume"))


def require_plan(step: AnyStep, resolved: Resolved, seal: str, registry: Registry) -> None:
    """Refuse a step that needs an approval and is not started from its plan.

    A dry run changes nothing, and a rollout that is resumed was approved before it started.

    Args:
        seal: Digest of the plan that it is started from; empty for none.

    Raises:
        NeedsApproval: with what it needs.
    """
    arguments = resolved.arguments
    if _is_approved(arguments, seal) or arguments.get("dry_run"):
        return
    hint = f"Make a plan for it: studio plan make {step.name} NAME=VALUE..."
    if arguments.get("needs_approval"):
        raise NeedsApproval("It needs the approval of a second person before it starts.", hint=hint)
    found = protected_targets(step, resolved, registry)
    if found:
        raise NeedsApproval(_sentence(found), hint=hint)


def _sentence(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    listed = ", ".join(names[:_NAMED])
    return f"Only an approved plan changes {listed}{more} (label {APPROVAL}={REQUIRED})."
