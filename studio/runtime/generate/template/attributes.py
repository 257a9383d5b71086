"""Attributes, items and slices of values, never those of Python's objects."""

from __future__ import annotations

from .account import Account
from .kinds import LISTS, SCALARS, BoundMethod, Space, Unset, Value, Values, kind
from .limits import Fault, shown
from .loop import LoopState
from .methods import METHODS


def attribute_of(owner: Value, name: str) -> Value:
    """Return what ``owner.name`` is: a method of the table before a key, as in Jinja.

    Raises:
        Fault: when the owner is not defined, or the name is one of Python's own.
    """
    known = type(owner)
    if known is dict:
        if name in METHODS[dict]:
            return BoundMethod(owner, name)
        if name in owner:
            return owner[name]
    elif known is Space:
        if name in owner.names:
            return owner.names[name]
    elif known is LoopState:
        return owner.read(name)
    elif known is Unset:
        raise Fault("{!a} is read of {}".format(shown(name), kind(owner)))
    elif name in METHODS.get(known, ()):
        return BoundMethod(owner, name)
    return _missing(name)


def item_of(owner: Value, key: Value) -> Value:
    """Return what ``owner[key]`` is: a key or a position before a method, as in Jinja.

    Raises:
        Fault: when the owner is not defined, or the name is one of Python's own.
    """
    known = type(owner)
    if known is dict:
        if type(key) in SCALARS and key in owner:
            return owner[key]
    elif (known in LISTS or known is str) and type(key) in (int, bool):
        return owner[key] if -len(owner) <= key < len(owner) else Unset(str(key))
    if type(key) is str:
        return attribute_of(owner, key)
    if known is Unset:
        raise Fault("an item is read of {}".format(kind(owner)))
    return Unset(shown(key) if type(key) in SCALARS else "item")


def slice_of(account: Account, owner: Value, bounds: Values) -> Value:
    """Return what ``owner[start:stop:step]`` is.

    Raises:
        Fault: when the owner is no text and no list, or a bound is no whole number.
    """
    known = type(owner)
    if known is not str and known not in LISTS:
        raise Fault("a slice is taken of {}".format(kind(owner)))
    if any(type(one) not in (int, bool, type(None)) for one in bounds):
        raise Fault("a bound of a slice is no whole number")
    if bounds[2] == 0:
        raise Fault("the step of a slice is 0")
    account.charge(len(owner) * (1 if known is str else 8))
    return owner[slice(*bounds)]


def _missing(name: str) -> Unset:
    if name.startswith("_"):
        raise Fault("the name {!a} may not be read".format(shown(name)))
    return Unset(name)
