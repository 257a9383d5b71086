"""Alignment of two graphs' weighty nodes by order, where names and neighbours do not help."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from studio.models.diff.skeleton import Constant, Skeleton

_WEIGHTY = 2
"""Dimensions from which on a constant is a weight that tells one node from another."""

_MOST = 2000
"""Nodes a side; the time grows with the square of equal ones."""

Key = tuple[str, tuple[tuple[object, ...], ...]]


def align(
    first: Skeleton, left: Sequence[int], second: Skeleton, right: Sequence[int]
) -> Iterator[tuple[int, int]]:
    """Pairs of nodes with equal operators and weights of equal shapes, in the order of both.

    Args:
        left, right: Positions of the nodes in question, in topological order.
    """
    ours = [(key, position) for position in left if (key := _key(first, position))]
    theirs = [(key, position) for position in right if (key := _key(second, position))]
    if max(len(ours), len(theirs)) > _MOST:
        return
    matcher = SequenceMatcher(None, [k for k, _ in ours], [k for k, _ in theirs], autojunk=False)
    for block in matcher.get_matching_blocks():
        for offset in range(block.size):
            yield ours[block.a + offset][1], theirs[block.b + offset][1]


def _key(skeleton: Skeleton, position: int) -> Key | None:
    shapes = tuple(
        source.shape
        for source in skeleton.sources[position]
        if isinstance(source, Constant) and source.shape and len(source.shape) >= _WEIGHTY
    )
    return (skeleton.base(position), shapes) if shapes else None
