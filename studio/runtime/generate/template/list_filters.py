"""The filters that go through lists and dictionaries."""

from __future__ import annotations

from functools import partial
from typing import Callable, Mapping, Sequence

from .account import Account
from .arguments import bind, string
from .attributes import item_of
from .checks import CHECKS
from .kinds import SCALARS, NamedValues, Unset, Value, Values, kind
from .limits import Fault, shown
from .operators import add
from .values import items_of

ListFilter = Callable[[Account, Value, Values, NamedValues], Value]
_LEVELS = 10


def path_of(account: Account, value: Value, path: Value) -> Value:
    """Return the attribute ``a.b.0`` of a value.

    Raises:
        Fault: when one of its names is read of nothing.
    """
    parts = str(path).split(".", _LEVELS) if type(path) is str else [path]
    account.spend(len(parts))
    for part in parts:
        digits = type(part) is str and part.isdigit() and len(part) < _LEVELS
        value = item_of(value, int(part) if digits else part)
    return value


def _chosen(
    keep: bool,
    by_attribute: bool,
    account: Account,
    value: Value,
    arguments: Values,
    named: NamedValues,
) -> Values:
    items = items_of(account, value) if value else []
    account.spend(len(items))
    if by_attribute and not arguments:
        raise Fault("the filter lacks the name of an attribute")
    rest = arguments[1:] if by_attribute else arguments
    test = None
    if rest:
        test = CHECKS.get(string("the filter", rest[0]))
        if test is None:
            raise Fault("the test {!a} is not known".format(shown(rest[0])))
    found = []
    for one in items:
        looked = path_of(account, one, arguments[0]) if by_attribute else one
        holds = bool(looked) if test is None else test(account, looked, rest[1:], named)
        if holds is keep:
            found.append(one)
    return found


def _list(account: Account, value: Value, arguments: Values, named: NamedValues) -> Values:
    bind("list", (), arguments, named)
    return items_of(account, value)


def _end(place: int, account: Account, value: Value, arguments: Values, named: Value) -> Value:
    bind("the filter", (), arguments, named)
    items = items_of(account, value)
    return items[place] if items else Unset("item")


def _reverse(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    bind("reverse", (), arguments, named)
    found = items_of(account, value)[::-1]
    return "".join(found) if type(value) is str else found


def _folded(value: Value, case: Value) -> Value:
    return value.lower() if type(value) is str and not case else value


def _ordered(account: Account, values: Values, keys: Sequence[Value], back: bool) -> Values:
    """Return values in the order of their keys, which are texts or numbers."""
    account.spend(4 * len(values))
    for key in keys:
        account.weigh(key)
    try:
        places = sorted(range(len(values)), key=lambda place: keys[place], reverse=back)
    except TypeError:
        raise Fault("values of different kinds have no order") from None
    return [values[place] for place in places]


def _sort(account: Account, value: Value, arguments: Values, named: NamedValues) -> Values:
    names = ("reverse", "case_sensitive", "attribute")
    back, case, attribute = bind("sort", names, arguments, named)
    items = items_of(account, value)
    keys = items if attribute is None else [path_of(account, one, attribute) for one in items]
    return _ordered(account, items, [_folded(one, case) for one in keys], bool(back))


def _dictsort(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    case, by, back = bind("dictsort", ("case_sensitive", "by", "reverse"), arguments, named)
    if type(value) is not dict or by not in (None, "key", "value"):
        raise Fault("dictsort needs a dictionary and an order by key or value")
    account.charge(64 * len(value))
    pairs = list(value.items())
    keys = [_folded(pair[by == "value"], case) for pair in pairs]
    return _ordered(account, pairs, keys, bool(back))


def _unique(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    case, attribute = bind("unique", ("case_sensitive", "attribute"), arguments, named)
    seen = set()
    found = []
    for one in items_of(account, value):
        account.spend(1)
        key = _folded(one if attribute is None else path_of(account, one, attribute), case)
        if type(key) not in SCALARS:
            raise Fault("unique needs texts and numbers, not {}".format(kind(key)))
        if key not in seen:
            seen.add(key)
            found.append(one)
    return found


def _extreme(
    last: bool, account: Account, value: Value, arguments: Values, named: NamedValues
) -> Value:
    case, attribute = bind("the filter", ("case_sensitive", "attribute"), arguments, named)
    items = items_of(account, value)
    keys = items if attribute is None else [path_of(account, one, attribute) for one in items]
    found = _ordered(account, items, [_folded(one, case) for one in keys], last)
    return found[0] if found else Unset("item")


def _sum(account: Account, value: Value, arguments: Values, named: NamedValues) -> Value:
    attribute, start = bind("sum", ("attribute", "start"), arguments, named)
    total: Value = 0 if start is None else start
    for one in items_of(account, value):
        account.spend(1)
        total = add(account, total, one if attribute is None else path_of(account, one, attribute))
    return total


LIST_FILTERS: Mapping[str, ListFilter] = {
    "select": partial(_chosen, True, False),
    "reject": partial(_chosen, False, False),
    "selectattr": partial(_chosen, True, True),
    "rejectattr": partial(_chosen, False, True),
    "list": _list,
    "first": partial(_end, 0),
    "last": partial(_end, -1),
    "reverse": _reverse,
    "sort": _sort,
    "dictsort": _dictsort,
    "unique": _unique,
    "min": partial(_extreme, False),
    "max": partial(_extreme, True),
    "sum": _sum,
}
