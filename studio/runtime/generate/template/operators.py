"""Arithmetic and comparisons between values of a template."""

from __future__ import annotations

import operator
from typing import Callable, Mapping

from .account import Account
from .kinds import LARGEST, LISTS, NUMBERS, Value, kind
from .limits import Fault
from .values import contains, same

Operation = Callable[[Account, Value, Value], Value]
_POWER = 64


def _number(value: Value) -> Value:
    if type(value) is int and abs(value) >= LARGEST:
        raise Fault("a number has more than 63 bits")
    return value


def _refuse(sign: str, one: Value, other: Value) -> Fault:
    return Fault("{} cannot stand between {} and {}".format(sign, kind(one), kind(other)))


def add(account: Account, one: Value, other: Value) -> Value:
    """Return the sum of two numbers, or two texts or lists joined.

    Raises:
        Fault: when they do not fit, or the result is too large.
    """
    first, second = type(one), type(other)
    if first is str and second is str:
        account.room(len(one) + len(other))
        return one + other
    if first in NUMBERS and second in NUMBERS:
        return _number(one + other)
    if first is second and first in LISTS:
        account.charge(8 * (len(one) + len(other)))
        return one + other
    raise _refuse("+", one, other)


def _multiply(account: Account, one: Value, other: Value) -> Value:
    if type(one) in NUMBERS and type(other) in NUMBERS:
        return _number(one * other)
    if type(one) in NUMBERS:
        one, other = other, one
    if type(other) not in (int, bool) or (type(one) is not str and type(one) not in LISTS):
        raise _refuse("*", one, other)
    if type(one) is str:
        account.room(len(one) * max(0, other))
    else:
        account.charge(8 * len(one) * max(0, other))
    return one * other


def _power(account: Account, one: Value, other: Value) -> Value:
    if type(one) not in NUMBERS or type(other) not in NUMBERS:
        raise _refuse("**", one, other)
    whole = type(one) is not float and type(other) is not float
    if whole and abs(one) > 1 and other > _POWER:
        raise Fault("a number has more than 63 bits")
    value = one**other
    if type(value) is complex:
        raise Fault("a root of a negative number is no number")
    return _number(value)


def _numeric(sign: str, operation: Callable[[Value, Value], Value]) -> Operation:
    def numeric(account: Account, one: Value, other: Value) -> Value:
        if type(one) not in NUMBERS or type(other) not in NUMBERS:
            raise _refuse(sign, one, other)
        return _number(operation(one, other))

    return numeric


def _ordered(sign: str, operation: Callable[[Value, Value], bool]) -> Operation:
    def ordered(account: Account, one: Value, other: Value) -> bool:
        first, second = type(one), type(other)
        if first in NUMBERS and second in NUMBERS:
            return operation(one, other)
        if first is not second or (first is not str and first not in LISTS):
            raise _refuse(sign, one, other)
        account.weigh(one)
        account.weigh(other)
        return operation(one, other)

    return ordered


def _not_same(account: Account, one: Value, other: Value) -> bool:
    return not same(account, one, other)


def _in(account: Account, one: Value, other: Value) -> bool:
    return contains(account, other, one)


def _not_in(account: Account, one: Value, other: Value) -> bool:
    return not contains(account, other, one)


SUMS: Mapping[str, Operation] = {"+": add, "-": _numeric("-", operator.sub)}
PRODUCTS: Mapping[str, Operation] = {
    "*": _multiply,
    "/": _numeric("/", operator.truediv),
    "//": _numeric("//", operator.floordiv),
    "%": _numeric("%", operator.mod),
}
POWERS: Mapping[str, Operation] = {"**": _power}
COMPARISONS: Mapping[str, Operation] = {
    "==": same,
    "!=": _not_same,
    "<": _ordered("<", operator.lt),
    "<=": _ordered("<=", operator.le),
    ">": _ordered(">", operator.gt),
    ">=": _ordered(">=", operator.ge),
    "in": _in,
    "not in": _not_in,
}
