"""Variables of a pipeline: written there, given for one run, or taken from the environment."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.api import UsageError
from studio.documents.toml_text import TomlText, loads, no_such

_KEYS = ("env", "default", "required", "help")
_TYPES = (str, int, float, bool, list)


@dataclass(frozen=True, slots=True)
class Variables:
    """The values of a pipeline's variables.

    Attributes:
        secret: Names of those from the environment.
    """

    values: Mapping[str, Any] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()


def resolve(
    source: TomlText, given: Mapping[str, str], environment: Mapping[str, str]
) -> Variables:
    """The value of each variable of a pipeline's text.

    Args:
        given: What was asked for, as texts (``--var NAME=VALUE``).

    Raises:
        UsageError: with line and column, for one without a value or of a wrong type.
    """
    written = source.values.get("vars", {})
    for name in given:
        if name not in written:
            reason, hint = no_such(name, written, "variable")
            raise UsageError(f"{source.where()}: {reason}", hint=hint)
    values, secret = {}, set()
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
    table: Mapping[str, Any],
    given: Mapping[str, str],
    environment: Mapping[str, str],
) -> tuple[Any, bool]:
    """The value of a variable that is described by a table, and whether it must not be shown."""
    for key in table:
        if key not in _KEYS:
            raise source.unknown(_KEYS, "vars", name, key)
    default = table.get("default")
    if name in given:
        return _like(source, name, default, given[name]), False
    if "env" in table:
        found = environment.get(str(table["env"]))
        if found:
            return found, True
    if default is not None:
        return default, False
    missing = f"the variable {name!r} has no value"
    if "env" in table:
        missing += f": {table['env']} is not set in the environment"
    raise source.wrong(f"{missing}.", "vars", name, hint=f"Give it with --var {name}=VALUE.")


def _like(source: TomlText, name: str, written: Any, text: str) -> Any:
    """A given text in the type of the value that it replaces."""
    if written is None or isinstance(written, str):
        return text
    try:
        value = loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    if isinstance(written, float) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if type(value) is not type(written):
        kind = {bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
        wanted = kind.get(type(written), "a text")
        raise source.wrong(f"the variable {name!r} is {wanted}, not {text!r}.", "vars", name)
    return value
