"""The rule that an answer is a JSON value of a schema, byte by byte.

All readings of the bytes so far are followed at the same time (Thompson 1968). Each reading is a
stack of the values that are still expected.
"""

from __future__ import annotations

from typing import Dict, Iterator, Mapping, NamedTuple, Optional, Tuple, Union

from ..request import Constraint
from .errors import SchemaError
from .nodes import ChoiceNode, ListNode, LiteralNode, NodePlace, NumberNode, ObjectNode, TextNode
from .reader import read_schema

_MOST_READINGS = 512
_DEEPEST = 64
_MOST_SPACES = 20
_MOST_DIGITS = 40
_SPACES = frozenset(b" \t\n\r")
_DIGITS = frozenset(b"0123456789")
_ESCAPED = frozenset(b'"\\/bfnrt')
_HEX = frozenset(b"0123456789abcdefABCDEF")
_QUOTE, _BACKSLASH, _COMMA, _COLON = b'"\\,:'
_OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = b"{}[]"
_CONTROL = 0x20
_CONTINUES = 0x80, 0xC0


class _Value(NamedTuple):
    """A value is to begin."""

    place: NodePlace
    spaces: int = 0


class _Rest(NamedTuple):
    """Bytes that have to follow."""

    text: bytes


class _Inside(NamedTuple):
    """In a string: digits of an escape to come, or -1 after a backslash; characters so far."""

    node: TextNode
    escape: int = 0
    length: int = 0


class _Digits(NamedTuple):
    """In a number, by the kind of its last character (see ``_NUMBER``)."""

    node: NumberNode
    state: str
    length: int = 0


class _Members(NamedTuple):
    """In an object: at its begin (``b``), at a name (``n``), a colon, or after a value (``a``)."""

    node: ObjectNode
    phase: str
    seen: Tuple[bytes, ...] = ()
    value: Optional[NodePlace] = None
    spaces: int = 0


class _Items(NamedTuple):
    """In a list: at its begin (``b``), or after an item (``a``)."""

    node: ListNode
    phase: str
    length: int = 0
    spaces: int = 0


_Frame = Union[_Value, _Rest, _Inside, _Digits, _Members, _Items]
_Stack = Tuple[_Frame, ...]
_Readings = Dict[_Stack, None]

_NUMBER: Mapping[str, Mapping[str, str]] = {
    "-": {"0": "0", "1-9": "i"},
    "0": {".": ".", "e": "e"},
    "i": {"0": "i", "1-9": "i", ".": ".", "e": "e"},
    ".": {"0": "f", "1-9": "f"},
    "f": {"0": "f", "1-9": "f", "e": "e"},
    "e": {"0": "x", "1-9": "x", "+": "s", "-": "s"},
    "s": {"0": "x", "1-9": "x"},
    "x": {"0": "x", "1-9": "x"},
}
_WHOLE = frozenset("0i")
_ENDED = frozenset("0ifx")


class JsonConstraint:
    """The rule that an answer is one JSON value of a schema."""

    def __init__(self, root: NodePlace) -> None:
        self._readings: _Readings = {(_Value(root),): None}
        self._tried: Optional[Tuple[bytes, _Readings]] = None

    @property
    def is_complete(self) -> bool:
        """Whether the value is whole."""
        return any(_is_whole(stack) for stack in self._readings)

    def admits(self, piece: bytes) -> bool:
        """Return whether these bytes may follow."""
        readings = self._after(piece)
        if readings:
            self._tried = piece, readings
        return bool(readings)

    def add(self, piece: bytes) -> None:
        """Take bytes that may follow."""
        tried = self._tried
        known = tried is not None and tried[0] == piece
        self._readings = tried[1] if known and tried is not None else self._after(piece)
        self._tried = None

    def _after(self, piece: bytes) -> _Readings:
        readings = self._readings
        for byte in piece:
            found: _Readings = {}
            for stack in readings:
                for one in _follow(stack, byte):
                    found[one] = None
                if len(found) > _MOST_READINGS:
                    return {}
            readings = found
            if not readings:
                break
        return readings


def constraint_of(schema: Mapping[str, object]) -> Constraint:
    """Return the rule of a schema.

    Raises:
        SchemaError: when it cannot be used.
    """
    root = read_schema(schema)
    if root.node is None:
        raise SchemaError("$ref leads back to itself.")
    return JsonConstraint(root)


def _is_whole(stack: _Stack) -> bool:
    if not stack:
        return True
    top = stack[-1]
    return len(stack) == 1 and isinstance(top, _Digits) and top.state in _ENDED


def _follow(stack: _Stack, byte: int) -> Iterator[_Stack]:
    """Yield the readings after a byte."""
    if not stack or len(stack) > _DEEPEST:
        return
    top, below = stack[-1], stack[:-1]
    if isinstance(top, _Value):
        yield from _begin(top, below, byte)
    elif isinstance(top, _Rest):
        if top.text[0] == byte:
            yield (*below, _Rest(top.text[1:])) if len(top.text) > 1 else below
    elif isinstance(top, _Inside):
        yield from _in_text(top, below, byte)
    elif isinstance(top, _Digits):
        yield from _in_number(top, below, byte)
    elif isinstance(top, _Members):
        yield from _in_object(top, below, byte)
    else:
        yield from _in_list(top, below, byte)


def _begin(top: _Value, below: _Stack, byte: int) -> Iterator[_Stack]:
    if byte in _SPACES:
        # Not in front of the whole answer: models that want to write prose would write spaces.
        if below and top.spaces < _MOST_SPACES:
            yield (*below, top._replace(spaces=top.spaces + 1))
        return
    node = top.place.node
    if isinstance(node, ChoiceNode):
        for place in node.nodes:
            yield from _begin(_Value(place), below, byte)
    elif isinstance(node, LiteralNode):
        for text in node.texts:
            yield from _follow((*below, _Rest(text)), byte)
    elif isinstance(node, TextNode) and byte == _QUOTE:
        yield (*below, _Inside(node))
    elif isinstance(node, NumberNode):
        sign = "-" if byte == 0x2D else "0" if byte == 0x30 else "i" if byte in _DIGITS else ""
        if sign:
            yield (*below, _Digits(node, sign, 1))
    elif isinstance(node, ObjectNode) and byte == _OPEN:
        yield (*below, _Members(node, "b"))
    elif isinstance(node, ListNode) and byte == _OPEN_LIST:
        yield (*below, _Items(node, "b"))


def _in_text(top: _Inside, below: _Stack, byte: int) -> Iterator[_Stack]:
    node, escape, count = top
    if escape > 0:
        if byte in _HEX:
            yield (*below, _Inside(node, escape - 1, count))
    elif escape < 0:
        if byte in _ESCAPED:
            yield (*below, _Inside(node, 0, count))
        elif byte == 0x75:
            yield (*below, _Inside(node, 4, count))
    elif byte == _QUOTE:
        if count >= node.least:
            yield below
    elif byte >= _CONTROL:
        begins = not _CONTINUES[0] <= byte < _CONTINUES[1]
        if begins and node.most is not None and count >= node.most:
            return
        # A text of any length has one state, not as many as characters.
        bounded = node.most is not None or count < node.least
        grown = count + 1 if begins and bounded else count
        yield (*below, _Inside(node, -1 if byte == _BACKSLASH else 0, grown))


def _in_number(top: _Digits, below: _Stack, byte: int) -> Iterator[_Stack]:
    kind = "1-9" if byte in _DIGITS else chr(byte).lower()
    following = _NUMBER[top.state].get("0" if byte == 0x30 else kind)
    if following and not (top.node.whole and following not in _WHOLE):
        if top.length < _MOST_DIGITS:
            yield (*below, _Digits(top.node, following, top.length + 1))
    elif top.state in _ENDED:
        yield from _follow(below, byte)


def _in_object(top: _Members, below: _Stack, byte: int) -> Iterator[_Stack]:
    node = top.node
    if byte in _SPACES:
        if top.spaces < _MOST_SPACES:
            yield (*below, top._replace(spaces=top.spaces + 1))
    elif top.phase == ":":
        if byte == _COLON and top.value is not None:
            yield (*below, _Members(node, "a", top.seen), _Value(top.value))
    elif top.phase in "bn" and byte == _QUOTE:
        yield from _names(top, below)
    elif top.phase == "a" and byte == _COMMA:
        if node.others is not None or len(top.seen) < len(node.properties):
            yield (*below, _Members(node, "n", top.seen))
    elif top.phase in "ba" and byte == _CLOSE and node.required <= set(top.seen):
        yield below


def _names(top: _Members, below: _Stack) -> Iterator[_Stack]:
    node = top.node
    for name, value in node.properties:
        if name not in top.seen:
            seen = tuple(sorted((*top.seen, name)))
            yield (*below, _Members(node, ":", seen, value), _Rest(name[1:]))
    if node.others is not None:
        yield (*below, _Members(node, ":", top.seen, node.others), _Inside(TextNode()))


def _in_list(top: _Items, below: _Stack, byte: int) -> Iterator[_Stack]:
    node = top.node
    room = node.most is None or top.length < node.most
    # A list of any length has one state, not as many as items.
    bounded = node.most is not None or top.length < node.least
    following = _Items(node, "a", top.length + 1 if bounded else top.length)
    if byte in _SPACES:
        if top.spaces < _MOST_SPACES:
            yield (*below, top._replace(spaces=top.spaces + 1))
    elif byte == _CLOSE_LIST:
        if top.length >= node.least:
            yield below
    elif top.phase == "b":
        if room:
            yield from _follow((*below, following, _Value(node.items)), byte)
    elif byte == _COMMA and room:
        yield (*below, following, _Value(node.items))
