"""SavedModels, frozen graphs and TFLite files that run code, reach files, or lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.e2e.hostile_files.kinds import ESCAPES, Hostile, Make, Payload, written

_FLOAT = 1
_CONVERT = ("convert", "{file}")
_REFUSED = "runs code or reaches files or a network, which is not run here"


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def field(number: int, content: bytes | str) -> bytes:
    """Return a field of a message, of bytes or a text."""
    plain = content.encode() if isinstance(content, str) else content
    return _varint(number << 3 | 2) + _varint(len(plain)) + plain


def value(number: int, content: int) -> bytes:
    """Return a field that is a number."""
    return _varint(number << 3) + _varint(content)


def node(name: str, operator: str, *inputs: str, **attributes: bytes) -> bytes:
    """Return a node, as a field of a graph."""
    named = [field(1, key) + field(2, one) for key, one in attributes.items()]
    parts = [field(1, name), field(2, operator), *(field(3, one) for one in inputs)]
    return field(1, b"".join([*parts, *(field(5, one) for one in named)]))


def function(name: str, *nodes: bytes) -> bytes:
    """Return a function, as a field of a library."""
    inner = b"".join(field(3, one[_head(one) :]) for one in nodes)
    return field(1, field(1, field(1, name)) + inner)


def _head(content: bytes) -> int:
    """Return the length of the key and the size before a field's content."""
    at = 1
    while content[at] > 0x7F:
        at += 1
    return at + 1


def saved_model(graph: bytes, functions: bytes = b"", loaded: Sequence[str] = ()) -> bytes:
    """Return the file of a SavedModel.

    Args:
        loaded: Names of functions that run as it is loaded.
    """
    tags = field(1, field(4, "serve"))
    objects = b"".join(field(2, field(1, name) + field(2, b"")) for name in loaded)
    meta = tags + field(2, graph + field(2, functions)) + field(7, objects)
    return value(1, 1) + field(2, meta)


def folder(content: bytes) -> Make:
    """Return a maker of a SavedModel's folder."""

    def make(place: Path, payload: Payload) -> Path:
        path = place / "saved"
        (path / "variables").mkdir(parents=True)
        (path / "saved_model.pb").write_bytes(content)
        return path

    return make


def _linked(target: str, place: Path, payload: Payload) -> Path:
    path = folder(saved_model(node("x", "Placeholder")))(place, payload)
    os.symlink(target, path / "variables" / "variables.index")
    return path


def _split(place: Path, payload: Payload) -> Path:
    path = folder(saved_model(node("x", "Placeholder")))(place, payload)
    (path / "saved_model.cpb").write_bytes(saved_model(node("p", "PyFunc")))
    return path


def _call(name: str) -> bytes:
    return field(10, field(1, name))


def _tensor(*sizes: int) -> bytes:
    dims = b"".join(field(2, value(1, size)) for size in sizes)
    return field(8, value(1, _FLOAT) + field(2, dims) + field(5, b"\0\0\0\0"))


def _nest(levels: int) -> bytes:
    found = field(10, field(1, "f"))
    for _ in range(levels):
        found = field(10, field(2, field(1, "a") + field(2, found)))
    return found


def _of_graph(name: str, graph: bytes, words: str) -> Hostile:
    return Hostile(name, written("m.pb", graph), words, command=_CONVERT)


def _of_folder(name: str, content: bytes, words: str = _REFUSED) -> Hostile:
    return Hostile(name, folder(content), words, command=_CONVERT)


_X = node("x", "Placeholder", dtype=value(6, _FLOAT))
_SAVER = function("__inference__traced_save_1", node("s", "SaveV2"))
_NODES = field(1, b"") * 510_000
_GRAPHS = (
    _of_graph("a graph that calls Python", _X + node("p", "PyFunc", "x"), _REFUSED),
    _of_graph("... eagerly", _X + node("p", "EagerPyFunc", "x"), _REFUSED),
    _of_graph("a graph that reads a file", _X + node("r", "ReadFile", "x"), _REFUSED),
    _of_graph("a graph that writes a file", _X + node("w", "WriteFile", "x", "x"), _REFUSED),
    _of_graph("a graph that prints to a file", _X + node("w", "PrintV2", "x"), _REFUSED),
    _of_graph("a graph that ends the process", _X + node("a", "Abort"), _REFUSED),
    _of_graph("a graph that calls a server", _X + node("a", "RpcCall", "x"), _REFUSED),
    _of_graph("a graph that saves", _X + node("s", "SaveV2", "x"), _REFUSED),
    _of_graph(
        "a graph with code in a function",
        _X + node("c", "f", "x") + field(2, function("f", node("p", "PyFunc"))),
        _REFUSED,
    ),
    _of_graph(
        "a name that a terminal obeys",
        _X + node(ESCAPES, "PyFunc" + ESCAPES, "x") + node(ESCAPES, "PyFunc", "x"),
        _REFUSED,
    ),
    _of_graph("an operator of nowhere", _X + node("o", "Odd", "x"), "is not one of TensorFlow's"),
    _of_graph("a graph that is cut off", (_X + node("o", "Relu", "x"))[:-3], "cut off"),
    _of_graph("an empty graph", b"", "it is empty"),
    _of_graph("noise", b"\xff" * 99, "cannot be loaded"),
    _of_graph("a length of the whole memory", b"\x0a\xff\xff\xff\xff\x7f", "cut off"),
    _of_graph("a million nodes", _NODES, "more than 500,000 nodes"),
    _of_graph(
        "a constant of a terabyte",
        _X + node("c", "Const", value=_tensor(1 << 20, 1 << 20)),
        "its constants take more than 2 GB",
    ),
    _of_graph("a nest of attributes", _X + node("n", "Relu", f=_nest(90)), "nested too deep"),
    _of_graph("a variable", node("v", "VarHandleOp"), "the values of its variable 'v'"),
)
_FOLDERS = (
    _of_folder("a SavedModel that calls Python", saved_model(_X + node("p", "PyFunc", "x"))),
    _of_folder(
        "a SavedModel with code in a function",
        saved_model(_X, function("f", node("e", "EagerPyFunc"))),
    ),
    _of_folder(
        "a SavedModel that saves as it is loaded",
        saved_model(_X, _SAVER, ["__inference__traced_save_1"]),
    ),
    _of_folder(
        "a SavedModel whose function calls the saver",
        saved_model(
            _X, _SAVER + function("f", node("c", "If", f=_call("__inference__traced_save_1")))
        ),
    ),
    _of_folder("a SavedModel without a graph", b"\x08\x01", "has no graph"),
    Hostile(
        "a SavedModel with a link that leads out",
        partial(_linked, "/etc/hostname"),
        "a link that leads out of its folder",
        command=_CONVERT,
    ),
    Hostile("a SavedModel in two messages", _split, "split over several", command=_CONVERT),
)
FILES = (*_GRAPHS, *_FOLDERS)
"""What is refused before TensorFlow reads it, but for an operator of nowhere."""
