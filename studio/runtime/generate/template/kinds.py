"""Kinds of values of a template, and those which are no plain data.

Plain data are ``None``, bool, int, float, str, list, tuple and dict, by their exact types.
"""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple

from .limits import shown

Value = Any
"""A value of a template; its exact type is looked at before it is used."""

Values = List[Value]
NamedValues = Dict[str, Value]

SCALARS = frozenset((type(None), bool, int, float, str))
LISTS = frozenset((list, tuple))
NUMBERS = frozenset((bool, int, float))
LARGEST = 2**63
"""No whole number of a template is as large."""


class Unset:
    """A name without a value: false, empty, and equal to its kind."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return type(other) is Unset

    def __hash__(self) -> int:
        return 0


class Space:
    """The value of ``namespace()``: names that keep their values over loops."""

    __slots__ = ("names",)

    def __init__(self, names: NamedValues) -> None:
        self.names = names


class BoundMethod(NamedTuple):
    """A method of the table, with the value that it belongs to."""

    owner: Value
    name: str


class FunctionName(NamedTuple):
    """A function of the table."""

    name: str


def kind(value: Value) -> str:
    """Return the name of a value's type for a sentence."""
    if type(value) is Unset:
        return "{!a} (not defined)".format(shown(value.name))
    plain = type(value) in SCALARS or type(value) in LISTS or type(value) is dict
    return "a value of type " + (type(value).__name__ if plain else "function or namespace")
