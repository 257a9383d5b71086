"""JSON schemas as rules for bytes: what is admitted is valid, what is valid is admitted."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from studio.runtime.generate.request import Constraint
from studio.runtime.generate.schema.constraint import constraint_of
from studio.runtime.generate.schema.errors import SchemaError

PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 3},
        "age": {"type": "integer"},
        "kind": {"enum": ["a", "ab", 1]},
        "tags": {"type": "array", "items": {"type": ["string", "null"]}, "maxItems": 2},
    },
    "required": ["name", "age"],
}
CHAIN = {
    "$defs": {
        "link": {
            "type": "object",
            "properties": {
                "value": {"type": "number"},
                "next": {"anyOf": [{"$ref": "#/$defs/link"}, {"type": "null"}]},
            },
            "required": ["value", "next"],
        }
    },
    "$ref": "#/$defs/link",
}
ANY: dict[str, Any] = {"type": "object"}


def takes(schema: dict[str, Any], text: str) -> bool:
    """Whether a text is admitted byte by byte and is whole at its end."""
    rule = constraint_of(schema)
    for number in text.encode():
        if not rule.admits(bytes([number])):
            return False
        rule.add(bytes([number]))
    return rule.is_complete


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (ANY, "{}"),
        (ANY, '{"a": [1, 2.5e-3, -0, 10, true, null, "x\\n\\u00e9ü", {"b": {}}]}'),
        (PERSON, '{"name":"Bob","age":3}'),
        (PERSON, '{"age": 0, "kind": "ab", "name": "éüß", "tags": ["x", null]}'),
        (PERSON, '{"kind":1,"name":"","age":-12}'),
        (CHAIN, '{"value":1,"next":{"value":2.5,"next":null}}'),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 1}, "[true, false]"),
        ({"const": {"a": 1}}, '{"a":1}'),
        ({"type": "string", "minLength": 2}, '"ab"'),
    ],
)
def test_valid_texts_are_admitted(schema: dict[str, Any], text: str) -> None:
    assert takes(schema, text)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        (ANY, "[]"),
        (ANY, " {}"),
        (ANY, '{"a":01}'),
        (ANY, '{"a":1,}'),
        (ANY, '{"a":4d7}'),
        (ANY, '{"a":1#2}'),
        (ANY, '{"a":1.}'),
        (ANY, '{"a":+1}'),
        (ANY, "{,}"),
        (ANY, '{"a" 1}'),
        (ANY, '{"a":tru}'),
        (ANY, '{"a":"\n"}'),
        (ANY, '{"a":"\\x"}'),
        (ANY, '{"a":1}}'),
        (ANY, '{"a":1'),
        (ANY, "{" + " " * 30 + "}"),
        (PERSON, '{"name":"Bobb","age":1}'),
        (PERSON, '{"name":"Bob"}'),
        (PERSON, '{"name":"Bob","age":1.5}'),
        (PERSON, '{"name":"Bob","name":"Bob","age":1}'),
        (PERSON, '{"other":1}'),
        (PERSON, '{"name":"Bob","age":1,"tags":["a","b","c"]}'),
        ({"type": "array", "minItems": 1}, "[]"),
        ({"type": "string", "minLength": 2}, '"a"'),
    ],
)
def test_other_texts_are_not(schema: dict[str, Any], text: str) -> None:
    assert not takes(schema, text)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_written_by_chance_is_valid(seed: int) -> None:
    chance = random.Random(seed)
    schema = (ANY, PERSON, CHAIN, {"type": "array", "maxItems": 3})[seed % 4]
    text = _written(constraint_of(schema), chance)
    found = json.loads(text)
    if schema is PERSON:
        assert {"name", "age"} <= set(found)
        assert type(found["age"]) is int


def _written(rule: Constraint, chance: random.Random) -> str:
    """Write admitted ASCII bytes by chance, with a liking for those that end something."""
    text = b""
    while True:
        admitted = [bytes([one]) for one in range(128) if rule.admits(bytes([one]))]
        if rule.is_complete and (not admitted or chance.random() < 0.5):
            return text.decode()
        closing = [one for one in admitted if one in b'}]",:']
        hurry = closing and chance.random() < min(0.9, 0.4 + len(text) / 400)
        piece = chance.choice(closing if hurry else admitted)
        assert rule.admits(piece)
        rule.add(piece)
        text += piece


def test_a_piece_of_many_bytes_is_admitted_as_its_bytes_are() -> None:
    rule = constraint_of(PERSON)
    for piece in (b'{"na', b'me": "B', b'ob", "age": 1', b"2}"):
        assert rule.admits(piece)
        rule.add(piece)
    assert rule.is_complete


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string", "pattern": "a"}, "'pattern' is not known"),
        ({"type": "king"}, "the type 'king' is not known"),
        ({"properties": 5}, "properties is an object"),
        ({"$ref": "http://elsewhere/x"}, "leads out of the schema"),
        ({"$ref": "#/$defs/none"}, "leads nowhere"),
        ({"$ref": "#"}, "back to itself"),
        ({"enum": []}, "enum is a list"),
        ({"type": "object", "required": ["x"]}, "required names a property"),
        ({"type": "string", "minLength": 5, "maxLength": 2}, "below minLength"),
        ({"type": "array", "items": 5}, "no object"),
        ({"description": "nothing else"}, "lacks a type"),
    ],
)
def test_schemas_that_cannot_be_used(schema: dict[str, Any], words: str) -> None:
    with pytest.raises(SchemaError, match=words):
        constraint_of(schema)


def test_a_schema_of_any_size_ends_soon() -> None:
    deep: dict[str, Any] = {"type": "string"}
    for _ in range(200):
        deep = {"type": "array", "items": deep}
    with pytest.raises(SchemaError, match="too large"):
        constraint_of(deep)
    wide = {
        "anyOf": [
            {"type": "object", "properties": {str(n): {"type": "string"}}} for n in range(5000)
        ]
    }
    with pytest.raises(SchemaError, match="too large"):
        constraint_of(wide)


def test_readings_are_limited() -> None:
    many = {"anyOf": [{"enum": [f"{n:04}"]} for n in range(900)]}
    assert not constraint_of(many).admits(b'"')


def levels(count: int) -> dict[str, Any]:
    """A schema whose choices refer twice to those of the next level."""
    each = {f"a{n}": {"anyOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(count)}
    return {"$ref": "#/$defs/a0", "$defs": {**each, f"a{count}": {"type": "integer"}}}


def test_choices_of_choices_are_followed_once() -> None:
    assert takes(levels(19), "12"), "half a million readings of each byte before"


@pytest.mark.parametrize(
    "schema",
    [
        {"anyOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"anyOf": [{"type": "null"}, {"anyOf": [{"$ref": "#"}]}]},
        {"type": "array", "items": {"anyOf": [{"$ref": "#/items"}]}},
    ],
)
def test_a_choice_of_itself_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(SchemaError, match="leads back to itself"):
        constraint_of(schema)


def test_a_choice_may_lead_back_through_a_value() -> None:
    schema = {"anyOf": [{"type": "null"}, {"type": "array", "items": {"$ref": "#"}}]}
    assert takes(schema, "[null,[[]]]")
