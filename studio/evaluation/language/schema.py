"""The part of JSON Schema that task sets use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}

_FORMS: Mapping[str, tuple[type, ...]] = {
    "type": (str, list),
    "enum": (list,),
    "required": (list,),
    "properties": (dict,),
    "additionalProperties": (bool,),
    "items": (dict,),
    **dict.fromkeys(("minItems", "maxItems"), (int,)),
    **dict.fromkeys(("minimum", "maximum"), (int, float)),
}
"""Types of the values of the known keywords."""

_DEEPEST = 20


def fits(value: Any, schema: Mapping[str, Any]) -> bool:
    """Return whether a JSON value has the form of a schema.

    The schema has no ``schema_problem``. These keywords count: ``type``, ``enum``, ``required``,
    ``properties``, ``additionalProperties``, ``items``, ``minItems``, ``maxItems``, ``minimum``,
    ``maximum``.
    """
    if "type" in schema and not _has_type(value, schema["type"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if isinstance(value, dict):
        return _object_fits(value, schema)
    if isinstance(value, list):
        return _array_fits(value, schema)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return bool(schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def _has_type(value: Any, names: Any) -> bool:
    wanted = [names] if isinstance(names, str) else names
    if isinstance(value, bool):
        return "boolean" in wanted
    if isinstance(value, float) and value.is_integer() and "integer" in wanted:
        return True
    return any(isinstance(value, _TYPES.get(one, ())) for one in wanted)


def _object_fits(value: dict[str, Any], schema: Mapping[str, Any]) -> bool:
    properties = schema.get("properties", {})
    if any(name not in value for name in schema.get("required", ())):
        return False
    if schema.get("additionalProperties") is False and set(value) - set(properties):
        return False
    return all(fits(value[name], properties[name]) for name in properties if name in value)


def _array_fits(value: list[Any], schema: Mapping[str, Any]) -> bool:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return False
    items = schema.get("items")
    return items is None or all(fits(one, items) for one in value)


def schema_problem(schema: Any, depth: int = 0) -> str:
    """Return why a schema cannot be used; empty when it can."""
    if not isinstance(schema, Mapping) or depth > _DEEPEST:
        return "a schema is a table, and not nested deeply"
    for key, value in schema.items():
        if key not in _FORMS:
            return f"the schema has the keyword {str(key)[:40]!r}, which is not known"
        if not isinstance(value, _FORMS[key]):
            return f"the value of {key!r} in the schema has a wrong type"
    names = schema.get("type", [])
    for one in [names] if isinstance(names, str) else names:
        if one not in _TYPES:
            return f"the schema has the type {str(one)[:40]!r}, which is not known"
    parts = [*schema.get("properties", {}).values(), *filter(None, [schema.get("items")])]
    return next(filter(None, (schema_problem(one, depth + 1) for one in parts)), "")
