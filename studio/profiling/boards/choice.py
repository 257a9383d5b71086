"""The boards of a study, checked before the first one is measured."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from studio.api import TargetSpec, UsageError

_PORTS = {"ssh": 22}


def check_boards(targets: Sequence[TargetSpec]) -> None:
    """Refuse a list that is empty or names a board twice.

    Raises:
        UsageError: in one sentence.
    """
    if not targets:
        raise UsageError(
            "Missing boards.",
            hint="Pass --target for each board, or --target @LABEL=VALUE.",
        )
    seen: dict[tuple[str, str, int], str] = {}
    for target in targets:
        known = seen.setdefault(address_of(target), target.name)
        if known == target.name and target is not targets[0] and _count(targets, known) > 1:
            raise UsageError(f"{known} is named twice.", hint="Name each board once.")
        if known != target.name:
            raise UsageError(
                f"{known} and {target.name} have the same address.",
                hint="Leave out one of them: a board cannot be compared with its own noise.",
            )


def _count(targets: Sequence[TargetSpec], name: str) -> int:
    return sum(one.name == name for one in targets)


def address_of(target: TargetSpec) -> tuple[str, str, int]:
    """Return scheme, host and port; who logs in makes no other board of it."""
    parts = urlsplit(target.url)
    try:
        port = parts.port
    except ValueError:
        port = None
    if not parts.hostname:  # a container, or this computer: the address is its name
        return parts.scheme, target.url, 0
    return parts.scheme, parts.hostname, port or _PORTS.get(parts.scheme, 0)
