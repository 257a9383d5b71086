"""Options of a step as a frozen dataclass, and the form that is made of it."""

from __future__ import annotations

import dataclasses
import types
import typing
from pathlib import Path
from typing import Any

from studio.api import Kind, Option
from studio.documents.dataclass_json import KEY
from studio.feature_host import added_texts

_KEY = "option"
_KINDS: dict[Any, Kind] = {int: Kind.INTEGER, float: Kind.NUMBER, bool: Kind.FLAG, str: Kind.TEXT}
_FROM_FIELD = ("name", "default", "required", "many")
"""Attributes that the field itself has."""
_OF_FEATURES = frozenset({"allow_code", "app"})
"""Options of the core that are offered where a feature adds their name to ``options of steps``."""

_forms: dict[type, tuple[Option, ...]] = {}


def option(
    default: Any = dataclasses.MISSING,
    *,
    kind: Kind | None = None,
    key: str = "",
    **described: Any,
) -> Any:
    """Return a field of an options dataclass.

    Args:
        default: The value where none is given; without one the option is required.
        key: Name of the option, where it is no name of Python's (``as``).
        kind: What a value means, where its type does not say it (a path, a model, a target).
        described: Further attributes of ``api.Option``: title, help, minimum, choices, ...
    """
    metadata: dict[str, Any] = {_KEY: {"kind": kind, **described}}
    if key:
        metadata[KEY] = key
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=metadata)
    if isinstance(default, list):
        default = tuple(default)
    return dataclasses.field(default=default, metadata=metadata)


def like(known: Option, default: Any = None, **changed: Any) -> Any:
    """Return a field that is described as an option of another step is, but for some changes."""
    described = {
        one.name: getattr(known, one.name)
        for one in dataclasses.fields(known)
        if one.name not in _FROM_FIELD
    }
    return option(default, **{**described, **changed})


def form(options: type) -> tuple[Option, ...]:
    """Return the options of a dataclass, in the order of its fields.

    Fields that are not made by ``option()`` are left out: a step's ``prepare`` fills them.
    """
    if options not in _forms:
        _forms[options] = _read_form(options)
    return _forms[options]


def offered(options: tuple[Option, ...]) -> tuple[Option, ...]:
    """Return the options without those whose feature is missing; they have their defaults."""
    if _OF_FEATURES.isdisjoint(each.name for each in options):
        return options
    missing = _OF_FEATURES.difference(added_texts("options of steps"))
    return tuple(each for each in options if each.name not in missing)


def _read_form(options: type) -> tuple[Option, ...]:
    hints = typing.get_type_hints(options)
    return tuple(
        _option(field, hints[field.name])
        for field in dataclasses.fields(options)
        if _KEY in field.metadata
    )


def _option(field: dataclasses.Field[Any], hint: Any) -> Option:
    described = dict(field.metadata[_KEY])
    value, many = _value_type(hint)
    kind = described.pop("kind") or _kind_of(value)
    if typing.get_origin(value) is typing.Literal:
        described.setdefault("choices", typing.get_args(value))
    required = field.default is dataclasses.MISSING
    default = None if required else field.default
    if isinstance(default, Path):
        default = str(default)
    return Option(
        field.metadata.get(KEY, field.name),
        kind,
        default,
        required=required,
        many=many,
        **described,
    )


def _value_type(hint: Any) -> tuple[Any, bool]:
    """Return the type of one value, and whether the field holds several."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is tuple:
        return typing.get_args(hint)[0], True
    return hint, False


def _kind_of(value: Any) -> Kind:
    if typing.get_origin(value) is typing.Literal:
        return Kind.CHOICE
    try:
        return _KINDS[value]
    except KeyError:
        raise TypeError(f"An option of type {value!r} needs a kind.") from None
