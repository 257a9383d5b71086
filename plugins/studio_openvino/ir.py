"""The parts of an IR file, folded from its XML."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from studio.api import InvalidModel, Limits, Progress
from studio_openvino.document import Attributes, Children, Fold, parse
from studio_openvino.ir_types import Binding, Edge, Layer, Net, Port

_OLDEST = 10
_LONGEST_TEXT = 4096
_MOST_METADATA = 256
# A name may hold escaped commas.
_COMMA = re.compile(r"(?<!\\),")
_DECOMPRESSION = "decompression"


def load(path: Path, limits: Limits, progress: Progress) -> Net:
    """Read the net of a file; of its weights only the references.

    Raises:
        InvalidModel: when it is no IR, or one of before version 10.
        UnsafeModel: when it is beyond the limits.
    """
    root = parse(path, _FOLDS, limits, progress)
    if not isinstance(root, Net):
        raise InvalidModel(f"{path.name} is an XML file, but not OpenVINO IR.")
    if root.version < _OLDEST:
        raise InvalidModel(
            f"{path.name} is OpenVINO IR of version {root.version}; {_OLDEST} and newer are read.",
            hint="Convert the original model again with a current OpenVINO.",
        )
    if not root.layers:
        raise InvalidModel(f"{path.name} holds no layers.")
    return root


def nets(net: Net) -> Iterator[Net]:
    """Yield the net and every body below it."""
    yield net
    for layer in net.layers:
        for body in layer.bodies.values():
            yield from nets(body)


def _number(attributes: Attributes, key: str, default: int | None = None) -> int:
    text = attributes.get(key)
    if text is None and default is not None:
        return default
    try:
        return int(text or "")
    except ValueError:
        raise InvalidModel(f"An element has {key}={text!r}, which is no whole number.") from None


def _dimension(attributes: Attributes, children: Children, text: str) -> int | None:
    try:
        size = int(text)
    except ValueError:
        raise InvalidModel(f"A size is {text!r}, which is no whole number.") from None
    return size if size >= 0 else None


def _port(attributes: Attributes, children: Children, text: str) -> Port:
    names = attributes.get("names", "")
    return Port(
        _number(attributes, "id"),
        attributes.get("precision", ""),
        tuple(value for tag, value in children if tag == "dim"),
        tuple(one.replace("\\,", ",") for one in _COMMA.split(names)) if names else (),
    )


def _ports(attributes: Attributes, children: Children, text: str) -> tuple[Port, ...] | Attributes:
    """Return the ports of a layer; a line of a port map has the same tag, and is its attributes."""
    if "external_port_id" in attributes:
        return attributes
    return tuple(value for tag, value in children if tag == "port")


def _edge(attributes: Attributes, children: Children, text: str) -> Edge:
    return Edge(
        _number(attributes, "from-layer"),
        _number(attributes, "from-port", -1),
        _number(attributes, "to-layer"),
        _number(attributes, "to-port", -1),
    )


def _all(attributes: Attributes, children: Children, text: str) -> tuple[Any, ...]:
    return tuple(value for _, value in children)


def _port_map(body: str) -> Fold:
    def fold(attributes: Attributes, children: Children, text: str) -> tuple[Binding, ...]:
        return tuple(_binding(body, tag, line) for tag, line in children if tag != "port")

    return fold


def _binding(body: str, tag: str, line: Any) -> Binding:
    if not isinstance(line, Mapping):
        raise InvalidModel("A port map has a line that names no port.")
    axis = _number(line, "axis", -1) if "axis" in line else None
    return Binding(
        tag == "input",
        body,
        _number(line, "external_port_id"),
        _number(line, "internal_layer_id"),
        axis,
        line.get("purpose", "")[:_LONGEST_TEXT],
    )


def _is_decompression(attributes: Attributes, children: Children, text: str) -> bool:
    return attributes.get("name") == _DECOMPRESSION


def _information(attributes: Attributes, children: Children, text: str) -> tuple[str, str]:
    return attributes.get("name", ""), attributes.get("value", "")[:_LONGEST_TEXT]


def _runtime_information(
    attributes: Attributes, children: Children, text: str
) -> dict[str, str | bool]:
    found: dict[str, str | bool] = {}
    for tag, value in children[:_MOST_METADATA]:
        if tag == "info":
            found[value[0]] = value[1]
        elif tag == "attribute" and value:
            found[_DECOMPRESSION] = True
    return found


def _net(attributes: Attributes, children: Children, text: str) -> Net:
    parts = dict(children)
    layers, edges = parts.get("layers", ()), parts.get("edges", ())
    if not all(isinstance(one, Layer) for one in layers):
        raise InvalidModel("Something that is no layer lies among the layers.")
    if not all(isinstance(one, Edge) for one in edges):
        raise InvalidModel("Something that is no edge lies among the edges.")
    information = parts.get("rt_info", {})
    texts = {key: value for key, value in information.items() if isinstance(value, str)}
    return Net(attributes.get("name", ""), _number(attributes, "version", 0), layers, edges, texts)


def _layer(attributes: Attributes, children: Children, text: str) -> Layer:
    parts = dict(children)
    bodies = {tag: value for tag, value in children if isinstance(value, Net)}
    maps = [one for tag, value in children if tag.endswith("port_map") for one in value]
    backwards = [one for one in parts.get("back_edges", ()) if isinstance(one, Edge)]
    inputs, outputs = parts.get("input", ()), parts.get("output", ())
    if isinstance(inputs, Mapping) or isinstance(outputs, Mapping):
        raise InvalidModel("A layer has a line of a port map in the place of its ports.")
    return Layer(
        id=_number(attributes, "id"),
        name=attributes.get("name", ""),
        kind=attributes.get("type", ""),
        version=attributes.get("version", ""),
        data=parts.get("data", {}),
        inputs=inputs,
        outputs=outputs,
        bodies=bodies,
        maps=(*maps, *backwards),
        is_decompression=bool(parts.get("rt_info", {}).get(_DECOMPRESSION)),
    )


_FOLDS: dict[str, Fold] = {
    "dim": _dimension,
    "port": _port,
    "input": _ports,
    "output": _ports,
    "data": lambda attributes, children, text: attributes,
    "edge": _edge,
    "edges": _all,
    "layers": _all,
    "layer": _layer,
    "net": _net,
    "body": _net,
    "then_body": _net,
    "else_body": _net,
    "port_map": _port_map(""),
    "then_port_map": _port_map("then"),
    "else_port_map": _port_map("else"),
    "back_edges": _all,
    "rt_info": _runtime_information,
    "attribute": _is_decompression,
    "info": _information,
}
