"""What every value of a template can do: be printed, looped over and compared."""

from __future__ import annotations

from .account import Account
from .kinds import LISTS, SCALARS, Unset, Value, Values, kind
from .limits import Fault


def text_of(account: Account, value: Value) -> str:
    """Return what a template prints for a value.

    Raises:
        Fault: when it has no text, or one that is too long.
    """
    if type(value) is str:
        return str(value)
    if type(value) is Unset:
        return ""
    if type(value) in SCALARS:
        return str(value)
    account.weigh(value)
    return str(value)


def items_of(account: Account, value: Value) -> Values:
    """Return what a loop over a value goes through.

    Raises:
        Fault: when it cannot be looped over.
    """
    known = type(value)
    if known is Unset:
        return []
    if known is list or known is tuple or known is str or known is dict:
        account.charge(8 * len(value))
        return list(value)
    raise Fault("{} cannot be looped over".format(kind(value)))


def same(account: Account, one: Value, other: Value) -> bool:
    """Return whether two values are equal."""
    if type(one) is str and type(other) is str:
        if len(one) == len(other) > 64:
            account.charge(len(one))
        return bool(one == other)
    if type(one) not in SCALARS and type(other) not in SCALARS:
        account.weigh(one)
        account.weigh(other)
    return bool(one == other)


def contains(account: Account, container: Value, value: Value) -> bool:
    """Return whether a value is in a container.

    Raises:
        Fault: when the container cannot be searched.
    """
    known = type(container)
    if known is str:
        if type(value) is not str:
            raise Fault("{} cannot be looked for in a text".format(kind(value)))
        account.charge(len(container))
        return value in container
    if known is dict:
        return type(value) in SCALARS and value in container
    if known in LISTS:
        account.spend(len(container))
        return any(same(account, one, value) for one in items_of(account, container))
    if known is Unset:
        return False
    raise Fault("{} holds nothing".format(kind(container)))
