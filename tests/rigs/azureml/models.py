"""Whether JSON fits a model of azure-mgmt-machinelearningservices."""

from __future__ import annotations

import re
import warnings
from typing import Any

with warnings.catch_warnings(action="ignore"):  # escapes in its docstrings
    from azure.mgmt.machinelearningservices import models

_PLAIN: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "iso-8601": (str,),
    "duration": (str,),
}


class Misfit(Exception):
    """Something that Azure would not take."""


def check(value: Any, kind: str, where: str = "", answer: bool = False) -> None:
    """Raise Misfit for a field that a model does not have, or a value that it does not take."""
    if kind.startswith("{"):
        _wanted(value, dict, where)
        for name, item in value.items():
            check(item, kind[1:-1], f"{where}.{name}", answer)
    elif kind.startswith("["):
        _wanted(value, list, where)
        for item in value:
            check(item, kind[1:-1], where, answer)
    elif kind in _PLAIN:
        if not isinstance(value, _PLAIN[kind]) or (kind == "int" and isinstance(value, bool)):
            raise Misfit(f"{where} is {value!r}, no {kind}.")
    elif kind != "object":
        _check_model(value, getattr(models, kind), where, answer)


def _check_model(value: Any, model: Any, where: str, answer: bool) -> None:
    _wanted(value, dict, where)
    for field, kinds in model.__dict__.get("_subtype_map", {}).items():
        key = model._attribute_map[field]["key"]
        if value.get(key) not in kinds:
            raise Misfit(f"{where}.{key} is {value.get(key)!r}, not one of {sorted(kinds)}.")
        return _check_model(value, getattr(models, kinds[value[key]]), where, answer)
    known = {row["key"]: (field, row["type"]) for field, row in model._attribute_map.items()}
    for key, item in value.items():
        if key not in known:
            raise Misfit(f"{model.__name__} has no {key!r} ({where}).")
        field, kind = known[key]
        rules = model._validation.get(field, {})
        if rules.get("readonly") and not answer:
            raise Misfit(f"{where}.{key} is read-only.")
        if "pattern" in rules and not re.search(rules["pattern"], str(item)):
            raise Misfit(f"{where}.{key} is {item!r}.")
        check(item, kind, f"{where}.{key}", answer)
    for field, rules in model._validation.items():
        key = model._attribute_map[field]["key"]
        if rules.get("required") and value.get(key) is None:
            raise Misfit(f"{where}.{key} is required.")


def _wanted(value: Any, kind: type, where: str) -> None:
    if not isinstance(value, kind):
        raise Misfit(f"{where} is no {kind.__name__}.")
