"""The arguments of methods, filters, tests and functions."""

from __future__ import annotations

from typing import Sequence

from .kinds import NamedValues, Value, Values, kind
from .limits import Fault, shown


def bind(
    called: str, names: Sequence[str], arguments: Values, named: NamedValues, least: int = 0
) -> Values:
    """Return the arguments in the order of their names; ``None`` where one is missing.

    Raises:
        Fault: when there are too many or too few, or a name is not known.
    """
    if len(arguments) > len(names):
        raise Fault("{} has too many arguments".format(called))
    found = dict(zip(names, arguments))
    for name, value in named.items():
        if name not in names or name in found:
            raise Fault("{} has no place for {!a}".format(called, shown(name)))
        found[name] = value
    if any(name not in found for name in names[:least]):
        raise Fault("{} lacks arguments".format(called))
    return [found.get(name) for name in names]


def integer(called: str, value: Value) -> int:
    """Return a whole number.

    Raises:
        Fault: when it is another value.
    """
    if type(value) is bool or type(value) is int:
        return int(value)
    raise Fault("{} needs a whole number, not {}".format(called, kind(value)))


def string(called: str, value: Value) -> str:
    """Return a text.

    Raises:
        Fault: when it is another value.
    """
    if type(value) is str:
        return str(value)
    raise Fault("{} needs a text, not {}".format(called, kind(value)))
