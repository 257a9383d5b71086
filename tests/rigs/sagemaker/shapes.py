"""Requests checked against botocore's own model of a service, more strictly than the SDK does."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator


@cache
def service(name: str) -> Any:
    """The model of a service."""
    return botocore.session.get_session().get_service_model(name)


def problems(name: str, operation: str, request: dict[str, Any]) -> list[str]:
    """What does not fit: types, required members, bounds, patterns, words."""
    shape = service(name).operation_model(operation).input_shape
    report = ParamValidator().validate(request, shape)
    found = [report.generate_report()] if report.has_errors() else []
    return found or list(_walk(shape, request, operation))


def _walk(shape: Shape, value: Any, path: str) -> Any:
    if isinstance(shape, StructureShape):
        for key, one in value.items():
            yield from _walk(shape.members[key], one, f"{path}.{key}")
    elif isinstance(shape, ListShape):
        yield from _bounds(shape, len(value), path)
        for at, one in enumerate(value):
            yield from _walk(shape.member, one, f"{path}[{at}]")
    elif isinstance(shape, MapShape):
        for key, one in value.items():
            yield from _walk(shape.value, one, f"{path}.{key}")
    elif isinstance(shape, StringShape):
        yield from _bounds(shape, len(value), path)
        yield from _text(shape, value, path)
    elif shape.type_name in ("integer", "long", "float"):
        yield from _bounds(shape, value, path)


def _bounds(shape: Shape, size: float, path: str) -> Any:
    if size < shape.metadata.get("min", size) or size > shape.metadata.get("max", size):
        yield f"{path}: {size} is out of bounds"


def _text(shape: StringShape, value: str, path: str) -> Any:
    if shape.enum and value not in shape.enum:
        yield f"{path}: {value!r} is not one of {shape.enum[:5]}"
    pattern = str(shape.metadata.get("pattern") or "")
    for theirs, ours in ((r"\p{L}\p{Z}\p{N}", r"\w\s"), (r"\p{ASCII}", r"[\x00-\x7f]")):
        pattern = pattern.replace(theirs, ours)
    if pattern and r"\p" not in pattern and not re.fullmatch(pattern, value):
        yield f"{path}: {value!r} is not like {pattern}"
