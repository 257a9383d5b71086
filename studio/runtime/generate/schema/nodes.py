"""Values that a schema admits, as a small tree."""

from __future__ import annotations

from typing import FrozenSet, NamedTuple, Optional, Tuple, Union


class Texts(NamedTuple):
    """Any string within lengths, in characters."""

    least: int = 0
    most: Optional[int] = None


class Numbers(NamedTuple):
    """Any number, or any whole one."""

    whole: bool = False


class Literals(NamedTuple):
    """One of several values, each as compact JSON."""

    texts: Tuple[bytes, ...]


class Objects(NamedTuple):
    """An object.

    Attributes:
        properties: Names as compact JSON with their quotes, each with its value.
        required: Names that must be there.
        others: Values under other names; None where there may be no others.
    """

    properties: Tuple[Tuple[bytes, Reference], ...]
    required: FrozenSet[bytes] = frozenset()
    others: Optional[Reference] = None


class Lists(NamedTuple):
    """A list."""

    items: Reference
    least: int = 0
    most: Optional[int] = None


class OneOf(NamedTuple):
    """A value that one of several nodes admits."""

    nodes: Tuple[Reference, ...]


class Reference:
    """A place in the tree, which may lead back to itself."""

    __slots__ = ("node",)

    def __init__(self, node: Optional[Node] = None) -> None:
        self.node = node


Node = Union[Texts, Numbers, Literals, Objects, Lists, OneOf]

BOOLEANS = Literals((b"true", b"false"))
NULL = Literals((b"null",))


def anything() -> Reference:
    """Return a node that admits every JSON value."""
    place = Reference()
    kinds: Tuple[Node, ...] = (
        Objects((), others=place),
        Lists(place),
        Texts(),
        Numbers(),
        Literals((*BOOLEANS.texts, *NULL.texts)),
    )
    place.node = OneOf(tuple(Reference(kind) for kind in kinds))
    return place
