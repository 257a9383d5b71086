"""Google's discovery documents, and whether a request or an answer fits them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import googleapiclient

Json = dict[str, Any]
DOCUMENTS = ("aiplatform.v1", "artifactregistry.v1", "monitoring.v3", "logging.v2")
_INTEGER = {"int32": 31, "uint32": 32, "int64": 63, "uint64": 64}


class Misfit(Exception):
    """Something that Google would not take."""


class Method:
    """One method of one service."""

    def __init__(self, document: Json, raw: Json) -> None:
        self.id = str(raw["id"])
        self._raw, self._schemas = raw, document["schemas"]
        self._shared = document.get("parameters") or {}
        path = re.sub(r"\\\{\w+\\\}", "([^/:]+)", re.escape(raw.get("flatPath") or raw["path"]))
        self._path = re.compile(f"/{path}")

    def fits(self, method: str, path: str) -> bool:
        """Whether a request is for it."""
        return method == self._raw["httpMethod"] and self._path.fullmatch(path) is not None

    def check_request(self, query: dict[str, str], body: Any) -> None:
        """Raise Misfit for a parameter or a field that the method does not have."""
        known = {**self._shared, **self._raw.get("parameters", {})}
        for name, text in query.items():
            if known.get(name, {}).get("location") != "query":
                raise Misfit(f"Unknown name {name!r}: there is no such query parameter.")
            if known[name]["type"] == "integer" and not text.isdigit():
                raise Misfit(f"Invalid value at {name!r}: {text!r}.")
        if "request" not in self._raw:
            if body:
                raise Misfit("There is a body where none is taken.")
            return
        self._check(body, self._raw["request"], "")

    def check_answer(self, body: Any) -> None:
        """Raise Misfit for an answer that Google would not give."""
        self._check(body, self._raw["response"], "")

    def _check(self, value: Any, schema: Json, where: str) -> None:
        if "$ref" in schema:
            schema = self._schemas[schema["$ref"]]
        kind = schema.get("type")
        if kind == "object":
            self._check_object(value, schema, where)
        elif kind == "array":
            if not isinstance(value, list):
                raise Misfit(f"{where} is no list.")
            for number, item in enumerate(value):
                self._check(item, schema["items"], f"{where}[{number}]")
        elif kind != "any":
            _check_plain(value, schema, where)

    def _check_object(self, value: Any, schema: Json, where: str) -> None:
        if not isinstance(value, dict):
            raise Misfit(f"{where} is no object.")
        known = schema.get("properties") or {}
        more = schema.get("additionalProperties")
        for name, item in value.items():
            inner = known.get(name, more)
            if inner is None:
                raise Misfit(f"Unknown name {name!r} at {where or 'the body'!r}.")
            self._check(item, inner, f"{where}.{name}".lstrip("."))


def _check_plain(value: Any, schema: Json, where: str) -> None:
    kind, form = schema.get("type"), str(schema.get("format") or "")
    if kind == "string":
        fits = isinstance(value, str) or (form in _INTEGER and isinstance(value, int))
        if fits and "enum" in schema and value not in schema["enum"]:
            raise Misfit(f"Invalid value at {where!r}: {value!r}.")
    elif kind == "boolean":
        fits = isinstance(value, bool)
    elif kind == "integer":
        fits = isinstance(value, int) and not isinstance(value, bool)
        fits = fits and abs(value) < 2 ** _INTEGER.get(form, 63)
    else:
        fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not fits:
        raise Misfit(f"Invalid value at {where!r} ({kind} {form}): {value!r}.")


@cache
def methods() -> tuple[Method, ...]:
    """All methods of the services that are faked."""
    folder = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    found: list[Method] = []
    for name in DOCUMENTS:
        document = json.loads((folder / f"{name}.json").read_text())
        found += [Method(document, raw) for raw in _walk(document)]
    return tuple(found)


def _walk(part: Json) -> Iterator[Json]:
    yield from (part.get("methods") or {}).values()
    for inner in (part.get("resources") or {}).values():
        yield from _walk(inner)


def method_of(verb: str, path: str) -> Method:
    """The method that a request is for.

    Raises:
        Misfit: when Google has none.
    """
    for one in methods():
        if one.fits(verb, path):
            return one
    raise Misfit(f"The requested URL {verb} {path} was not found on this server.")
