"""Schemas read into nodes: the keywords that are known, and a refusal of all others."""

from __future__ import annotations

import json
from typing import Dict, List, Mapping, Optional, Tuple
from urllib.parse import unquote

from .errors import SchemaError
from .nodes import (
    BOOLEANS,
    NULL,
    ChoiceNode,
    ListNode,
    LiteralNode,
    Node,
    NodePlace,
    NumberNode,
    ObjectNode,
    TextNode,
    anything,
)

_MOST_NODES = 2000
_DEEPEST = 40
_MOST_LITERALS = 1000
_LARGEST_SIZE = 1 << 20

_NOTES = frozenset(
    {"$schema", "$id", "$comment", "$defs", "definitions", "title", "description", "default"}
    | {"examples", "deprecated", "readOnly", "writeOnly", "strict"}
)
_KNOWN = frozenset(
    {"type", "enum", "const", "properties", "required", "additionalProperties", "items"}
    | {"minItems", "maxItems", "minLength", "maxLength", "anyOf", "oneOf", "$ref"}
)


def read_schema(schema: Mapping[str, object]) -> NodePlace:
    """Return the node of a schema.

    ``oneOf`` is taken as ``anyOf``. Where properties are named there are no others, as with
    OpenAI's strict schemas.

    Raises:
        SchemaError: when it is invalid, too large, or has a keyword that is not known.
    """
    reader = _SchemaReader(schema)
    root = reader.read(schema, 0)
    reader.flatten_choices()
    return root


class _SchemaReader:
    def __init__(self, root: Mapping[str, object]) -> None:
        self._root = root
        self._named: Dict[str, NodePlace] = {}
        self._choices: List[NodePlace] = []
        self._count = 0

    def read(self, schema: object, depth: int) -> NodePlace:
        self._count += 1
        if self._count > _MOST_NODES or depth > _DEEPEST:
            raise SchemaError("it is too large.")
        if schema is True or schema == {}:
            return anything()
        if not isinstance(schema, dict):
            raise SchemaError("one of its values is no object.")
        unknown = set(schema) - _KNOWN - _NOTES
        if unknown:
            raise SchemaError("the keyword {!r} is not known.".format(min(unknown)[:40]))
        if "$ref" in schema:
            return self._referred(schema["$ref"], depth)
        place = NodePlace(self._node(schema, depth))
        if isinstance(place.node, ChoiceNode):
            self._choices.append(place)
        return place

    def flatten_choices(self) -> None:
        """Put the values of choices within choices side by side.

        A byte is then compared with each value once. Choices that refer to each other twice on
        each level would be followed a billion times after thirty levels.

        Raises:
            SchemaError: for a choice that leads back to itself without a value in between.
        """
        values: Dict[int, Tuple[Node, ...]] = {}
        places = [*self._choices, *self._named.values()]
        flat = [(place, _values_of(place, values, ())) for place in places]
        for place, nodes in flat:
            if isinstance(place.node, ChoiceNode):
                place.node = ChoiceNode(tuple(map(NodePlace, nodes)))

    def _referred(self, pointer: object, depth: int) -> NodePlace:
        if not isinstance(pointer, str) or not pointer.startswith("#") or len(pointer) > 500:
            raise SchemaError("$ref leads out of the schema.")
        if pointer not in self._named:
            self._named[pointer] = place = NodePlace()
            found = self.read(self._at(pointer), depth + 1)
            place.node = found.node
            if place.node is None:
                raise SchemaError("$ref leads back to itself.")
        return self._named[pointer]

    def _at(self, pointer: str) -> object:
        found: object = self._root
        for part in pointer[1:].split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            if not isinstance(found, dict) or name not in found:
                raise SchemaError("$ref leads nowhere.")
            found = found[name]
        return found

    def _node(self, schema: Mapping[str, object], depth: int) -> Node:
        for key in ("enum", "const"):
            if key in schema:
                return _literals(schema[key] if key == "enum" else [schema[key]])
        for key in ("anyOf", "oneOf"):
            if key in schema:
                parts = schema[key]
                if not isinstance(parts, list) or not parts:
                    raise SchemaError("{} is a list of schemas.".format(key))
                return ChoiceNode(tuple(self.read(part, depth + 1) for part in parts))
        kind = schema.get("type")
        if kind is None:
            kind = "object" if "properties" in schema else "array" if "items" in schema else None
        if kind is None:
            raise SchemaError("one of its values lacks a type.")
        kinds = kind if isinstance(kind, list) else [kind]
        nodes = [self._of_kind(one, schema, depth) for one in kinds]
        if not nodes:
            raise SchemaError("a type is empty.")
        return nodes[0] if len(nodes) == 1 else ChoiceNode(tuple(map(NodePlace, nodes)))

    def _of_kind(self, kind: object, schema: Mapping[str, object], depth: int) -> Node:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            items = self.read(schema.get("items", True), depth + 1)
            return ListNode(items, *_sizes(schema, "minItems", "maxItems"))
        if kind == "string":
            return TextNode(*_sizes(schema, "minLength", "maxLength"))
        simple: Mapping[str, Node] = {
            "number": NumberNode(),
            "integer": NumberNode(whole=True),
            "boolean": BOOLEANS,
            "null": NULL,
        }
        if not isinstance(kind, str) or kind not in simple:
            raise SchemaError("the type {!r} is not known.".format(str(kind)[:40]))
        return simple[kind]

    def _object(self, schema: Mapping[str, object], depth: int) -> ObjectNode:
        properties = schema.get("properties", {})
        required = schema.get("required", [])
        if not isinstance(properties, dict) or not isinstance(required, list):
            raise SchemaError("properties is an object, and required a list.")
        nodes = {_text(name): self.read(one, depth + 1) for name, one in properties.items()}
        names = frozenset(_text(name) for name in required)
        if not names <= set(nodes):
            raise SchemaError("required names a property that is missing.")
        more = schema.get("additionalProperties", not properties)
        # Where properties are named, an object without others fits as well.
        others = None if more is False or properties else self.read(more, depth + 1)
        return ObjectNode(tuple(nodes.items()), names, others)


def _values_of(
    place: NodePlace, known: Dict[int, Tuple[Node, ...]], path: Tuple[int, ...]
) -> Tuple[Node, ...]:
    """Return the nodes that a place is a choice of, each once; ``known`` are those of choices."""
    node = place.node
    if not isinstance(node, ChoiceNode):
        return () if node is None else (node,)
    if id(node) in path:
        raise SchemaError("anyOf leads back to itself.")
    if id(node) not in known:
        parts = (_values_of(one, known, (*path, id(node))) for one in node.nodes)
        known[id(node)] = tuple(dict.fromkeys(value for part in parts for value in part))
    return known[id(node)]


def _literals(values: object) -> LiteralNode:
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_LITERALS:
        raise SchemaError("enum is a list of up to {} values.".format(_MOST_LITERALS))
    return LiteralNode(tuple(_text(one) for one in values))


def _text(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _sizes(schema: Mapping[str, object], least: str, most: str) -> Tuple[int, Optional[int]]:
    found: List[Optional[int]] = []
    for key in (least, most):
        value = schema.get(key)
        if value is not None and not (type(value) is int and 0 <= value <= _LARGEST_SIZE):
            raise SchemaError("{} is a whole number.".format(key))
        found.append(value if isinstance(value, int) else None)
    low, high = found[0] or 0, found[1]
    if high is not None and high < low:
        raise SchemaError("{} is below {}.".format(most, least))
    return low, high
