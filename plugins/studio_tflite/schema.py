"""TFLite's schema as data (made by packaging/tflite_schema.py), and tables read by it."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from studio_tflite.flatbuffer import Table

LONGEST_TEXT = 4096


class Field(NamedTuple):
    """One field of a table.

    Attributes:
        slot: Position in the virtual table.
        kind: ``int32``, ``string``, ``table``, or one of them in brackets.
        enum: Name of the enumeration that its numbers belong to; empty for most.
    """

    name: str
    slot: int
    kind: str
    default: Any
    enum: str


@functools.cache
def _content() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(Path(__file__).with_name("schema.json").read_text("utf-8"))
    return found


@functools.cache
def enumeration(name: str) -> Mapping[int, str]:
    """Return names by numbers."""
    return {int(number): text for number, text in _content()["enums"][name].items()}


@functools.cache
def fields(table: str) -> tuple[Field, ...]:
    """Return the fields of a table, or none for an unknown table."""
    return tuple(Field(*row) for row in _content()["tables"].get(table, ()))


def read(table: Table, name: str) -> dict[str, Any]:
    """Return the fields of a table without nested tables, with enumerations by their names."""
    return {one.name: _value(table, one) for one in fields(name) if one.kind.strip("[]") != "table"}


def slot(table: str, field: str) -> int:
    """Return the slot of a table's field."""
    return next(one.slot for one in fields(table) if one.name == field)


def _value(table: Table, field: Field) -> Any:
    kind = field.kind.strip("[]")
    if kind == "string":
        many = field.kind != kind
        return (table.texts if many else table.text)(field.slot, LONGEST_TEXT)
    if kind != field.kind:
        return table.numbers(field.slot, kind)
    number = table.number(field.slot, kind, field.default)
    return enumeration(field.enum).get(number, number) if field.enum else number
