"""Groups of nodes that stand for each other: what was fused, split up, or computed otherwise.

A region lies between values that both graphs have. Whatever is in it on the one side was replaced
by whatever is in it on the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from studio.models.diff.matching import Matching
from studio.models.diff.skeleton import Skeleton


@dataclass(slots=True)
class Region:
    """Positions of unmatched nodes on both sides."""

    first: set[int] = field(default_factory=set)
    second: set[int] = field(default_factory=set)


def regions(matching: Matching) -> Iterator[Region]:
    """Yield every region with nodes on at least one side that ends in a value of both graphs."""
    merged: list[Region] = []
    owner: dict[tuple[int, int], Region] = {}
    ends, ends_back = set(matching.values), set(matching.back)
    for ours, theirs in matching.values.items():
        region = Region(
            _cone(matching.first, ours, ends, matching.nodes.keys()),
            _cone(matching.second, theirs, ends_back, matching.reverse.keys()),
        )
        if region.first or region.second:
            merged.append(_merge(region, owner))
    seen: set[int] = set()
    for region in merged:
        current = _owner(region, owner)
        if id(current) not in seen:
            seen.add(id(current))
            yield current


def _cone(skeleton: Skeleton, value: str, ends: set[str], matched: object) -> set[int]:
    """Return the unmatched nodes that a value depends on, back to values of both graphs."""
    found: set[int] = set()
    waiting = [value]
    while waiting:
        name = waiting.pop()
        position = skeleton.producer.get(name)
        if position is None or position in found or position in matched:  # type: ignore[operator]
            continue
        found.add(position)
        waiting += [
            source
            for source in skeleton.sources[position]
            if isinstance(source, str) and source not in ends
        ]
    return found


def _merge(region: Region, owner: dict[tuple[int, int], Region]) -> Region:
    """Join the region with those that it shares a node with."""
    keys = _keys(region)
    for other in {id(owner[key]): owner[key] for key in keys if key in owner}.values():
        region.first |= other.first
        region.second |= other.second
    for key in _keys(region):
        owner[key] = region
    return region


def _owner(region: Region, owner: dict[tuple[int, int], Region]) -> Region:
    return owner[next(iter(_keys(region)))]


def _keys(region: Region) -> list[tuple[int, int]]:
    return [(0, position) for position in region.first] + [(1, p) for p in region.second]
