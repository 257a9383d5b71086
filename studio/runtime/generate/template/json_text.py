"""Values as JSON, written as transformers' ``tojson`` does, which escapes nothing for HTML."""

from __future__ import annotations

import json

from .account import Account
from .arguments import bind
from .kinds import NamedValues, Value, Values
from .limits import Fault

_NAMES = ("ensure_ascii", "indent", "separators", "sort_keys")
_INDENT = 32


def tojson(account: Account, value: Value, arguments: Values, named: NamedValues) -> str:
    """Return a value as JSON.

    Raises:
        Fault: when it is no data, or too large.
    """
    ascii_only, indent, separators, sort_keys = bind("tojson", _NAMES, arguments, named)
    indent = _indent(indent)
    width = len(indent) if type(indent) is str else indent or 0
    account.weigh(value, width)
    try:
        return json.dumps(
            value,
            ensure_ascii=bool(ascii_only),
            indent=indent,
            separators=_separators(separators),
            sort_keys=bool(sort_keys),
        )
    except (TypeError, ValueError) as error:
        raise Fault("tojson fails: {}".format(error)) from error


def _indent(indent: Value) -> Value:
    if indent is None or (type(indent) is str and len(indent) <= _INDENT):
        return indent
    if type(indent) in (int, bool) and indent <= _INDENT:
        return int(indent)
    raise Fault("the indent of tojson is no number up to {}".format(_INDENT))


def _separators(separators: Value) -> Value:
    if separators is None:
        return None
    if type(separators) not in (list, tuple):
        raise Fault("the separators of tojson are no two short texts")
    short = [one for one in separators if type(one) is str and len(one) <= _INDENT]
    if len(separators) == len(short) == 2:
        return tuple(short)
    raise Fault("the separators of tojson are no two short texts")
