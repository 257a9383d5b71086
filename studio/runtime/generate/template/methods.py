"""The methods of texts, lists and dictionaries that a template may call."""

from __future__ import annotations

import re
from typing import Callable, Dict, List, Mapping

from .account import Account
from .arguments import bind, integer, string
from .kinds import SCALARS, NamedValues, Value, Values
from .limits import Fault, shown
from .values import items_of, same, text_of

MethodFunction = Callable[[Account, Value, Values, NamedValues], Value]
_FIELD = re.compile(r"\{\{|\}\}|\{(\d{0,3}|[^\W\d]\w*)\}|[{}]")


def call_method(
    account: Account, owner: Value, name: str, arguments: Values, named: NamedValues
) -> Value:
    """Call a method of the table.

    Raises:
        Fault: when its arguments do not fit, or the result is too large.
    """
    if type(owner) is str:
        account.charge(len(owner))
    return METHODS[type(owner)][name](account, owner, arguments, named)


def _strip(name: str) -> MethodFunction:
    method = getattr(str, name)

    def strip(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
        [signs] = bind(name + "()", ("chars",), arguments, named)
        return method(owner, None if signs is None else string(name + "()", signs))

    return strip


def _change(name: str) -> MethodFunction:
    method = getattr(str, name)

    def change(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
        bind(name + "()", (), arguments, named)
        account.room(3 * len(owner))
        return method(owner)

    return change


def _split(name: str) -> MethodFunction:
    method = getattr(str, name)

    def split(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
        sep, most = bind(name + "()", ("sep", "maxsplit"), arguments, named)
        most = -1 if most is None else integer(name + "()", most)
        if sep is not None and not string(name + "()", sep):
            raise Fault("{}() has an empty separator".format(name))
        parts = len(owner) // 2 if sep is None else owner.count(sep)
        parts = min(parts, most) if most >= 0 else parts
        account.charge(64 * parts + len(owner))
        return method(owner, sep, most)

    return split


def _edge(name: str) -> MethodFunction:
    method = getattr(str, name)

    def edge(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
        [edges] = bind(name + "()", ("edge",), arguments, named, 1)
        if type(edges) is tuple:
            account.charge(sum(len(string(name + "()", one)) for one in edges))
            return method(owner, edges)
        return method(owner, string(name + "()", edges))

    return edge


def _seek(name: str) -> MethodFunction:
    method = getattr(str, name)

    def seek(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
        text, *bounds = bind(name + "()", ("sub", "start", "end"), arguments, named, 1)
        known = [None if one is None else integer(name + "()", one) for one in bounds]
        return method(owner, string(name + "()", text), *known)

    return seek


def replaced(
    account: Account, owner: str, old: str, new: str, most: int, called: str = "replace()"
) -> str:
    """Return a text with parts replaced; ``most`` below 0 is without a bound.

    Raises:
        Fault: when the result is too long.
    """
    count = owner.count(old) if most < 0 else min(owner.count(old), most)
    account.room(len(owner) + count * max(0, len(new) - len(old)))
    return owner.replace(old, new, most)


def _replace(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    old, new, count = bind("replace()", ("old", "new", "count"), arguments, named, 2)
    most = -1 if count is None else integer("replace()", count)
    return replaced(account, owner, string("replace()", old), string("replace()", new), most)


def _cut(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    [edge] = bind("removeprefix()", ("prefix",), arguments, named, 1)
    edge = string("removeprefix()", edge)
    return owner[len(edge) :] if owner.startswith(edge) else owner


def _cut_end(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    [edge] = bind("removesuffix()", ("suffix",), arguments, named, 1)
    edge = string("removesuffix()", edge)
    return owner[: -len(edge)] if edge and owner.endswith(edge) else owner


def _lines(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    [keep] = bind("splitlines()", ("keepends",), arguments, named)
    account.charge(40 * len(owner))
    return owner.splitlines(bool(keep))


def _join(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    [parts] = bind("join()", ("iterable",), arguments, named, 1)
    return joined(account, owner, [string("join()", one) for one in items_of(account, parts)])


def joined(account: Account, between: str, texts: List[str]) -> str:
    """Return texts with another between them.

    Raises:
        Fault: when the result is too long.
    """
    account.spend(len(texts))
    account.room(sum(map(len, texts)) + len(between) * len(texts))
    return between.join(texts)


def _format(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    """Fill plain fields in; fields with attributes, items or formats are refused."""
    parts: List[str] = []
    at, automatic = 0, 0
    for field in _FIELD.finditer(owner):
        account.spend(4)
        parts.append(owner[at : field.start()])
        at, inner = field.end(), field.group(1)
        if inner is None and len(field.group()) == 2:
            parts.append(field.group()[0])
            continue
        key = inner if inner else str(automatic)
        automatic += inner == ""
        places = dict(named) if not key.isdigit() else dict(enumerate(arguments))
        wanted: Value = int(key) if key.isdigit() else key
        if inner is None or wanted not in places:
            raise Fault("format() cannot fill {!a}".format(shown(owner[field.start() :], 20)))
        parts.append(text_of(account, places[wanted]))
    return joined(account, "", [*parts, owner[at:]])


def _is(name: str) -> MethodFunction:
    method = getattr(str, name)

    def check(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
        bind(name + "()", (), arguments, named)
        return method(owner)

    return check


def _get(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    key, default = bind("get()", ("key", "default"), arguments, named, 1)
    return owner.get(key, default) if type(key) in SCALARS else default


def _view(name: str) -> MethodFunction:
    method = getattr(dict, name)

    def view(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
        bind(name + "()", (), arguments, named)
        account.charge(64 * len(owner))
        return list(method(owner))

    return view


def _copy(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    bind("copy()", (), arguments, named)
    account.charge(100 * len(owner))
    return type(owner)(owner)


def _count(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    [value] = bind("count()", ("value",), arguments, named, 1)
    return sum(same(account, one, value) for one in items_of(account, owner))


def _index(account: Account, owner: Value, arguments: Values, named: NamedValues) -> Value:
    [value] = bind("index()", ("value",), arguments, named, 1)
    for place, one in enumerate(items_of(account, owner)):
        if same(account, one, value):
            return place
    raise Fault("index() finds nothing")


_TEXT: Dict[str, MethodFunction] = {
    **{name: _strip(name) for name in ("strip", "lstrip", "rstrip")},
    **{name: _change(name) for name in ("upper", "lower", "title", "capitalize", "swapcase")},
    **{name: _split(name) for name in ("split", "rsplit")},
    **{name: _edge(name) for name in ("startswith", "endswith")},
    **{name: _seek(name) for name in ("find", "rfind", "count")},
    **{name: _is(name) for name in ("isdigit", "isalpha", "isalnum", "isspace")},
    **{name: _is(name) for name in ("isupper", "islower", "isnumeric")},
    "replace": _replace,
    "removeprefix": _cut,
    "removesuffix": _cut_end,
    "splitlines": _lines,
    "join": _join,
    "format": _format,
}
_ROW: Dict[str, MethodFunction] = {"count": _count, "index": _index}

METHODS: Mapping[type, Mapping[str, MethodFunction]] = {
    str: _TEXT,
    dict: {
        "get": _get,
        **{name: _view(name) for name in ("items", "keys", "values")},
        "copy": _copy,
    },
    list: {**_ROW, "copy": _copy},
    tuple: _ROW,
}
