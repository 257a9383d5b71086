"""Variables of a pipeline: from its text, from options, or from the environment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from studio.api import UsageError
from studio.documents.dataclass_json import JsonValue, from_json
from studio.documents.toml_text import TomlText, loads, no_such
from studio.lazy_dataclass import dataclass

_KEYS = ("env", "default", "required", "help")
_TYPES = (str, int, float, bool, list)


@dataclass(frozen=True, slots=True)
class Variables:
    """The values of a pipeline's variables.

    Attributes:
        secret: Names of variables from the environment.
    """

    values: Mapping[str, JsonValue] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Declared:
    """A variable declared by a table."""

    env: object = None
    default: Any = None


def resolve(
    source: TomlText,
    written: Mapping[str, object],
    given: Mapping[str, str],
    environment: Mapping[str, str],
) -> Variables:
    """Resolve the variables of a pipeline's text.

    Args:
        written: The variables as written.
        given: Values from options, as texts (``--var NAME=VALUE``).

    Raises:
        UsageError: for a missing value or a wrong type, with line and column.
    """
    for name in given:
        if name not in written:
            reason, hint = no_such(name, written, "variable")
            raise UsageError(f"{source.where()}: {reason}", hint=hint)
    values: dict[str, JsonValue] = {}
    secret: set[str] = set()
    for name, value in written.items():
        if isinstance(value, Mapping):
            values[name], is_secret = _declared(source, name, value, given, environment)
            secret |= {name} if is_secret else set()
        elif isinstance(value, _TYPES):
            values[name] = _like(source, name, value, given[name]) if name in given else value
        else:
            raise source.wrong(f"the variable {name!r} cannot be {value!r}.", "vars", name)
    return Variables(values, frozenset(secret))


def _declared(
    source: TomlText,
    name: str,
    table: Mapping[str, object],
    given: Mapping[str, str],
    environment: Mapping[str, str],
) -> tuple[JsonValue, bool]:
    """Return the value of a declared variable, and whether it is secret."""
    for key in table:
        if key not in _KEYS:
            raise source.unknown(_KEYS, "vars", name, key)
    declared = from_json(_Declared, table)
    if name in given:
        return _like(source, name, declared.default, given[name]), False
    if declared.env is not None:
        # Values from the environment may be secrets, so they are never written.
        found = environment.get(str(declared.env))
        if found:
            return found, True
    if declared.default is not None:
        return declared.default, False
    missing = f"the variable {name!r} has no value"
    if declared.env is not None:
        missing += f": {declared.env} is not set in the environment"
    raise source.wrong(f"{missing}.", "vars", name, hint=f"Give it with --var {name}=VALUE.")


def _like(source: TomlText, name: str, written: JsonValue, text: str) -> JsonValue:
    """Convert a given text to the type of the written value."""
    if written is None or isinstance(written, str):
        return text
    try:
        value = next(iter(loads(f"value = {text}").values()))
    except tomllib.TOMLDecodeError:
        value = text
    if isinstance(written, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(written):
        kind = {bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
        wanted = kind.get(type(written), "a text")
        raise source.wrong(f"the variable {name!r} is {wanted}, not {text!r}.", "vars", name)
    return value
