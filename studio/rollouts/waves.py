"""Waves of targets in a rollout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.api import UsageError


def waves(
    targets: Sequence[str],
    strategy: str,
    first: int,
    size: int,
    groups: Mapping[str, str] | None = None,
) -> list[list[str]]:
    """Divide the targets into waves, in their given order.

    Args:
        groups: Value of a label by target. Each value is a wave then, instead of the strategy;
            targets without one are the last.
        strategy: ``all`` at once; ``canary``: the first ones, then all others; ``waves``: the
            first ones, then ``size`` at a time.
        first: Number of targets in the first wave.

    Raises:
        UsageError: when a target is named twice, or none is named.
    """
    if not targets:
        raise UsageError("Missing targets.", hint="Pass --target for each target.")
    twice = sorted({name for name in targets if list(targets).count(name) > 1})
    if twice:
        raise UsageError(f"Duplicate target: {twice[0]}.")
    if groups is not None:
        return _by_label(targets, groups)
    if strategy == "all":
        return [list(targets)]
    head, rest = list(targets[:first]), list(targets[first:])
    step = len(rest) if strategy == "canary" else size
    return [head, *(rest[start : start + step] for start in range(0, len(rest), max(step, 1)))]


def _by_label(targets: Sequence[str], groups: Mapping[str, str]) -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for target in targets:
        found.setdefault(groups.get(target, ""), []).append(target)
    rest = found.pop("", [])
    return [*found.values(), *([rest] if rest else [])]
