"""Keys that a result can have, by the types of its dataclass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from studio.documents.dataclass_json import JsonValue, keyed
from studio.pipelines.result_keys import ImpossibleKey, impossible_key


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a result."""

    name: str
    before: int | None = keyed("from", default=None)


@dataclass(frozen=True, slots=True)
class Form:
    """A result with each kind of type."""

    part: Part | None
    parts: tuple[Part, ...]
    pair: tuple[float, Part]
    either: Part | float
    facts: Mapping[str, JsonValue]
    free: JsonValue
    share: float | None


@pytest.mark.parametrize(
    "path",
    ["part.name", "part.from", "parts.0.name", "parts.-1", "pair.0", "pair.1.name", "either.name",
     "facts.any.thing", "free.0.thing", "share"],
)  # fmt: skip
def test_a_key_may_be_there(path: str) -> None:
    assert impossible_key(Form, path.split(".")) is None


@pytest.mark.parametrize(
    ("path", "missing"),
    [
        ("prat", ImpossibleKey("prat", tuple(Form.__slots__))),
        ("part.before", ImpossibleKey("before", ("name", "from"))),
        ("parts.name", ImpossibleKey("name")),
        ("parts.0.size", ImpossibleKey("size", ("name", "from"))),
        ("pair.0.low", ImpossibleKey("low")),
        ("pair.2", ImpossibleKey("2")),
        ("pair.1.low", ImpossibleKey("low", ("name", "from"))),
        ("either.low", ImpossibleKey("low", ("name", "from"))),
        ("share.low", ImpossibleKey("low")),
        ("part.name.first", ImpossibleKey("first")),
    ],
)
def test_a_key_can_never_be_there(path: str, missing: ImpossibleKey) -> None:
    assert impossible_key(Form, path.split(".")) == missing
