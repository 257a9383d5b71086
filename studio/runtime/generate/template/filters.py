"""The filters of a template: what stands after ``|``."""

from __future__ import annotations

import re
from typing import Callable, Mapping

from .account import Account
from .arguments import bind, integer, string
from .json_text import tojson
from .kinds import LARGEST, LISTS, NUMBERS, NamedValues, Unset, Value, Values, kind
from .limits import Fault, shown
from .list_filters import LIST_FILTERS, path_of
from .methods import joined, replaced
from .values import items_of, text_of

Filter = Callable[[Account, Value, Values, NamedValues], Value]
_DIGITS = 64
_WORDS = re.compile(r"([-\s({\[<]+)")


def _trim(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
    [signs] = bind("trim", ("chars",), arguments, named)
    text = text_of(account, value)
    account.charge(len(text))
    return text.strip(None if signs is None else string("trim", signs))


def _string(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
    bind("string", (), arguments, named)
    return text_of(account, value)


def _titled(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
    bind("title", (), arguments, named)
    text = text_of(account, value)
    account.charge(64 * len(text))
    words = _WORDS.split(text)
    return "".join(word[:1].upper() + word[1:].lower() for word in words)


def _changed(name: str) -> Filter:
    method = getattr(str, name)

    def change(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
        bind(name, (), arguments, named)
        text = text_of(account, value)
        account.room(3 * len(text))
        return str(method(text))

    return change


def _replace(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
    old, new, count = bind("replace", ("old", "new", "count"), arguments, named, 2)
    texts = [text_of(account, one) for one in (value, old, new)]
    account.charge(len(texts[0]))
    most = -1 if count is None else integer("replace", count)
    return replaced(account, texts[0], texts[1], texts[2], most)


def _default(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    other, empty = bind("default", ("default_value", "boolean"), arguments, named)
    if type(value) is Unset or (empty and not value):
        return other if arguments or "default_value" in named else ""
    return value


def _length(account: Account, value: Value, arguments: Values, named: NamedValues) -> int:
    bind("length", (), arguments, named)
    if type(value) is Unset:
        return 0
    if type(value) in LISTS or type(value) in (str, dict):
        return len(value)
    raise Fault("{} has no length".format(kind(value)))


def _join(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
    between, attribute = bind("join", ("d", "attribute"), arguments, named)
    parts = items_of(account, value)
    if attribute is not None:
        parts = [path_of(account, one, attribute) for one in parts]
    texts = [text_of(account, one) for one in parts]
    return joined(account, "" if between is None else text_of(account, between), texts)


def _indent(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
    width, first, blank = bind("indent", ("width", "first", "blank"), arguments, named)
    text = text_of(account, value)
    spaces = 4 if width is None else width
    if type(spaces) is not str:
        spaces = " " * min(max(0, integer("indent", spaces)), account.limits.value)
    lines = (text + "\n").splitlines()
    account.charge(40 * len(text))
    account.room(len(text) + len(spaces) * (len(lines) + 1))
    filled = [spaces + line if line or blank else line for line in lines[1:]]
    return (spaces if first else "") + "\n".join(lines[:1] + filled)


def _whole(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    default, base = bind("int", ("default", "base"), arguments, named)
    fallback = 0 if default is None else default
    try:
        if type(value) is str and base is not None:
            number = int(value[:_DIGITS], integer("int", base))
        else:
            number = int(value[:_DIGITS] if type(value) is str else value)
    except (TypeError, ValueError, OverflowError):
        number = _whole_of_float(value, fallback)
    return number if not isinstance(number, int) or abs(number) < LARGEST else fallback


def _whole_of_float(value: Value, fallback: Value) -> Value:
    try:
        return int(float(value[:_DIGITS] if type(value) is str else value))
    except (TypeError, ValueError, OverflowError):
        return fallback


def _float(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    [default] = bind("float", ("default",), arguments, named)
    try:
        return float(value[:_DIGITS] if type(value) is str else value)
    except (TypeError, ValueError, OverflowError):
        return 0.0 if default is None else default


def _absolute(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    bind("abs", (), arguments, named)
    if type(value) not in NUMBERS:
        raise Fault("abs needs a number, not {}".format(kind(value)))
    return abs(value)


def _round(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    digits, method = bind("round", ("precision", "method"), arguments, named)
    if type(value) not in NUMBERS or method not in (None, "common"):
        raise Fault("round needs a number and the common method")
    digits = 0 if digits is None else integer("round", digits)
    if abs(digits) > 15:
        raise Fault("round has more than 15 digits")
    return round(value, digits)


def _safe(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
    """Return the text: nothing is escaped, so that nothing is exempt either."""
    bind("safe", (), arguments, named)
    return text_of(account, value)


def _escape(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
    bind("escape", (), arguments, named)
    text = text_of(account, value)
    for sign, name in (("&", "amp"), (">", "gt"), ("<", "lt"), ("'", "#39"), ('"', "#34")):
        text = replaced(account, text, sign, "&{};".format(name), -1)
    return text


def _pairs(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    bind("items", (), arguments, named)
    if type(value) is Unset:
        return []
    if type(value) is not dict:
        raise Fault("items needs a dictionary, not {}".format(kind(value)))
    account.charge(64 * len(value))
    return list(value.items())


def _map(account: Account, value: Value, arguments: Values, named: NamedValues) -> Values:
    items = items_of(account, value) if value else []
    account.spend(3 * len(items))
    if not arguments and "attribute" in named:
        attribute, default = bind("map", ("attribute", "default"), [], named)
        found = [path_of(account, one, attribute) for one in items]
        return [default if type(one) is Unset and "default" in named else one for one in found]
    name = string("map", arguments[0] if arguments else None)
    function = FILTERS.get(name)
    if function is None:
        raise Fault("the filter {!a} is not known".format(shown(name)))
    return [function(account, one, arguments[1:], named) for one in items]


FILTERS: Mapping[str, Filter] = {
    **LIST_FILTERS,
    **{"map": _map, "title": _titled},
    **{name: _changed(name) for name in ("upper", "lower", "capitalize")},
    **{"trim": _trim, "string": _string, "replace": _replace, "join": _join, "indent": _indent},
    **{"default": _default, "d": _default, "length": _length, "count": _length},
    **{"int": _whole, "float": _float, "abs": _absolute, "round": _round},
    **{"safe": _safe, "escape": _escape, "e": _escape, "items": _pairs, "tojson": tojson},
}
