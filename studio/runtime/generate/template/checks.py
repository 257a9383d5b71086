"""The tests of a template: what stands after ``is``."""

from __future__ import annotations

from typing import Callable, Mapping

from .account import Account
from .arguments import bind, integer
from .calls import Callee
from .kinds import NUMBERS, BoundMethod, FunctionName, NamedValues, Unset, Value, Values
from .limits import Fault
from .operators import COMPARISONS, Operation

Check = Callable[[Account, Value, Values, NamedValues], bool]
_LOOPED = frozenset((list, tuple, dict, str, Unset))


def _plain(name: str, test: Callable[[Value], bool]) -> Check:
    def plain(account: Account, value: Value, arguments: Values, named: NamedValues) -> bool:
        bind("the test " + name, (), arguments, named)
        return test(value)

    return plain


def _between(name: str, operation: Operation) -> Check:
    def between(account: Account, value: Value, arguments: Values, named: NamedValues) -> bool:
        [other] = bind("the test " + name, ("other",), arguments, named, 1)
        return bool(operation(account, value, other))

    return between


def _divisible(account: Account, value: Value, by: Value) -> bool:
    divisor = integer("the test divisibleby", by)
    if divisor == 0:
        raise Fault("a number is divided by 0")
    return integer("the test divisibleby", value) % divisor == 0


def _identical(account: Account, value: Value, other: Value) -> bool:
    return value is other


def _remainder(value: Value, wanted: int) -> bool:
    return integer("the test of odd or even", value) % 2 == wanted


def _called(value: Value) -> bool:
    return isinstance(value, (BoundMethod, FunctionName, Callee))


_PLAIN: Mapping[str, Callable[[Value], bool]] = {
    "defined": lambda value: type(value) is not Unset,
    "undefined": lambda value: type(value) is Unset,
    "none": lambda value: value is None,
    "true": lambda value: value is True,
    "false": lambda value: value is False,
    "boolean": lambda value: type(value) is bool,
    "integer": lambda value: type(value) is int,
    "float": lambda value: type(value) is float,
    "number": lambda value: type(value) in NUMBERS,
    "string": lambda value: type(value) is str,
    "mapping": lambda value: type(value) is dict,
    "iterable": lambda value: type(value) in _LOOPED,
    "sequence": lambda value: type(value) in _LOOPED,
    "callable": _called,
    "odd": lambda value: _remainder(value, 1),
    "even": lambda value: _remainder(value, 0),
    "lower": lambda value: str(value).islower() if type(value) is str else False,
    "upper": lambda value: str(value).isupper() if type(value) is str else False,
}
_SIGNS: Mapping[str, str] = {
    **{"==": "==", "eq": "==", "equalto": "==", "!=": "!=", "ne": "!="},
    **{"<": "<", "lt": "<", "lessthan": "<", "<=": "<=", "le": "<="},
    **{">": ">", "gt": ">", "greaterthan": ">", ">=": ">=", "ge": ">=", "in": "in"},
}

CHECKS: Mapping[str, Check] = {
    **{name: _plain(name, test) for name, test in _PLAIN.items()},
    **{name: _between(name, COMPARISONS[sign]) for name, sign in _SIGNS.items()},
    "divisibleby": _between("divisibleby", _divisible),
    "sameas": _between("sameas", _identical),
}
