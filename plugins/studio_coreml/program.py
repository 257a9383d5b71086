"""The graph of a Core ML program, from what ``tool_program.py`` reads of a package.

It comes from a process that has read a stranger's file, so nothing in it is taken for granted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from studio.api import AttributeValue, Graph, Initializer, InvalidModel, Node, TensorType, Value

_BYTES = {"float16": 2, "int16": 2, "uint16": 2, "int8": 1, "uint8": 1, "bool": 1, "string": 0}
_USUAL_BYTES = 4


def graph_of(program: object) -> Graph:
    """Return the graph of a program.

    Args:
        program: Names of its inputs and outputs, its operators, and the types of its constants
            and of its other values.

    Raises:
        InvalidModel: when one of them is missing or of another kind.
    """
    try:
        inputs, outputs, operators, constants, values = _list(program)
        kinds = _types(values)
        return Graph(
            "main",
            tuple(Value(name, kinds[name]) for name in _names(inputs)),
            tuple(Value(name, kinds.get(name)) for name in _names(outputs)),
            tuple(_nodes(operators)),
            {name: _constant(name, kind) for name, kind in _types(constants).items()},
            kinds,
        )
    except (KeyError, TypeError, ValueError):
        raise InvalidModel("The list of operators of the Core ML program is not valid.") from None


def _nodes(rows: object) -> Iterator[Node]:
    for row in _list(rows):
        name, operator, inputs, outputs, attributes = _list(row)
        yield Node(
            _text(name),
            _text(operator),
            _names(inputs),
            _names(outputs),
            attributes=dict(_attributes(attributes)),
        )


def _attributes(value: object) -> Iterator[tuple[str, AttributeValue]]:
    """Yield the constants of an operator by the names of its parameters."""
    for name, numbers in _mapping(value).items():
        given = _list(numbers)
        if given and all(isinstance(one, str) for one in given):
            yield name, str(given[0])
        elif all(isinstance(one, int) for one in given):
            yield name, tuple(int(one) for one in given if isinstance(one, int))


def _types(value: object) -> dict[str, TensorType]:
    return {name: _type(_list(kind)) for name, kind in _mapping(value).items()}


def _type(kind: Sequence[object]) -> TensorType:
    dtype, sizes = kind
    return TensorType(_text(dtype), tuple(_size(one) for one in _list(sizes)))


def _size(value: object) -> int | None:
    if value is not None and not isinstance(value, int):
        raise TypeError
    return value


def _constant(name: str, kind: TensorType) -> Initializer:
    count = 1
    for size in kind.shape or ():
        count *= size if isinstance(size, int) else 0
    return Initializer(name, kind, count * _BYTES.get(kind.dtype, _USUAL_BYTES))


def _names(value: object) -> tuple[str, ...]:
    return tuple(_text(one) for one in _list(value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _list(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise TypeError
    return value
