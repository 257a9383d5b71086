"""Calls of methods, of the few functions that a template has, and of its macros."""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Mapping

from .account import Account
from .arguments import bind, integer
from .kinds import SCALARS, BoundMethod, FunctionName, NamedValues, Space, Value, Values, kind
from .limits import Fault, shown
from .methods import call_method

_RANGE = 100_000
_FORMAT = re.compile(r"(?:[^%\0]|%[-]?[aAbBcdFHIjmMpSTUwWxXyYzZ%])*")
_FORMAT_LENGTH = 200
_MESSAGE = 200


class Callee:
    """A value that a template has made and may call."""

    __slots__ = ()

    def call(self, account: Account, arguments: Values, named: NamedValues) -> Value:
        """Return what the call gives."""
        raise NotImplementedError


def call_value(account: Account, called: Value, arguments: Values, named: NamedValues) -> Value:
    """Call a value.

    Raises:
        Fault: when it cannot be called, or the call fails.
    """
    if type(called) is FunctionName:
        return FUNCTIONS[called.name](account, arguments, named)
    if type(called) is BoundMethod:
        return call_method(account, called.owner, called.name, arguments, named)
    if isinstance(called, Callee):
        return called.call(account, arguments, named)
    raise Fault("{} cannot be called".format(kind(called)))


def _range(account: Account, arguments: Values, named: NamedValues) -> List[int]:
    if not 1 <= len(arguments) <= 3 or named:
        raise Fault("range() takes one to three numbers")
    bounds = [integer("range()", one) for one in arguments]
    if len(bounds) == 3 and bounds[2] == 0:
        raise Fault("the step of range() is 0")
    numbers = range(*bounds)
    if max(abs(one) for one in bounds) > 2**53 or len(numbers) > _RANGE:
        raise Fault("range() has more than {} numbers".format(_RANGE))
    account.charge(8 * len(numbers))
    return list(numbers)


def _namespace(account: Account, arguments: Values, named: NamedValues) -> Space:
    return Space(_dict(account, arguments, named))


def _dict(account: Account, arguments: Values, named: NamedValues) -> Dict[Value, Value]:
    if len(arguments) > 1 or any(type(one) is not dict for one in arguments):
        raise Fault("a dictionary or names with values are needed")
    made = {**(arguments[0] if arguments else {}), **named}
    account.charge(100 * (1 + len(made)))
    return made


def _raise(account: Account, arguments: Values, named: NamedValues) -> Value:
    [message] = bind("raise_exception()", ("message",), arguments, named, 1)
    text = message if type(message) in SCALARS else kind(message)
    raise Fault("it refuses this conversation: {}".format(shown(text, _MESSAGE).rstrip(". ")))


def _now(account: Account, arguments: Values, named: NamedValues) -> str:
    [form] = bind("strftime_now()", ("format",), arguments, named, 1)
    if type(form) is not str or len(form) > _FORMAT_LENGTH or not _FORMAT.fullmatch(form):
        raise Fault("strftime_now() cannot use the format {!a}".format(shown(form)))
    return account.clock().strftime(form)


Called = Callable[[Account, Values, NamedValues], Value]

FUNCTIONS: Mapping[str, Called] = {
    "range": _range,
    "namespace": _namespace,
    "dict": _dict,
    "raise_exception": _raise,
    "strftime_now": _now,
}
