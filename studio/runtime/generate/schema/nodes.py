"""Values that a schema admits, as a small tree."""

from __future__ import annotations

from typing import FrozenSet, NamedTuple, Optional, Tuple, Union


class TextNode(NamedTuple):
    """Any string within lengths, in characters."""

    least: int = 0
    most: Optional[int] = None


class NumberNode(NamedTuple):
    """Any number, or any whole one."""

    whole: bool = False


class LiteralNode(NamedTuple):
    """One of several values, each as compact JSON."""

    texts: Tuple[bytes, ...]


class ObjectNode(NamedTuple):
    """An object.

    Attributes:
        properties: Names as compact JSON with their quotes, each with its value.
        required: Names that must be there.
        others: Values under other names; None where there may be no others.
    """

    properties: Tuple[Tuple[bytes, NodePlace], ...]
    required: FrozenSet[bytes] = frozenset()
    others: Optional[NodePlace] = None


class ListNode(NamedTuple):
    """A list."""

    items: NodePlace
    least: int = 0
    most: Optional[int] = None


class ChoiceNode(NamedTuple):
    """A value that one of several nodes admits."""

    nodes: Tuple[NodePlace, ...]


class NodePlace:
    """A place in the tree, which may lead back to itself."""

    __slots__ = ("node",)

    def __init__(self, node: Optional[Node] = None) -> None:
        self.node = node


Node = Union[TextNode, NumberNode, LiteralNode, ObjectNode, ListNode, ChoiceNode]

BOOLEANS = LiteralNode((b"true", b"false"))
NULL = LiteralNode((b"null",))


def anything() -> NodePlace:
    """Return a node that admits every JSON value."""
    place = NodePlace()
    kinds: Tuple[Node, ...] = (
        ObjectNode((), others=place),
        ListNode(place),
        TextNode(),
        NumberNode(),
        LiteralNode((*BOOLEANS.texts, *NULL.texts)),
    )
    place.node = ChoiceNode(tuple(NodePlace(kind) for kind in kinds))
    return place
