"""The description, made from the routes themselves, so that it names each of them and no other.

The form is that of the OpenAPI Specification 3.1.1.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Dict, Iterable, Tuple

from ..http.message import HttpError
from ..rest.router import Route
from .bodies import ANSWERS, JSON, REQUESTS, Body, body_of
from .schemas import SCHEMAS, ref

VERSION = "3.1.1"
_PREDICT = ("/v1/models/{model}", "/v1/models/{model}/versions/{version}")
"""Patterns whose last segment is ``NAME:predict`` with POST."""

_ERRORS = {
    "400": "The request is wrong.",
    "401": "The token is missing or wrong.",
    "404": "The address or the model is unknown.",
    "503": "The server is not ready, or busy.",
}


def describe(routes: Iterable[Route], version: str) -> Dict[str, Any]:
    """Return the description of some routes as a document of OpenAPI.

    Args:
        version: Of the server.
    """
    paths: Dict[str, Dict[str, Any]] = {}
    for route in filter(_is_here, routes):
        paths.setdefault(path_of(route), {})[route.method.lower()] = _operation(route)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Edgewright server",
            "version": version,
            "description": "The HTTP interface of a served model.",
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": SCHEMAS,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _is_here(route: Route) -> bool:
    """Return whether the part of a route's endpoint has travelled."""
    try:
        route.load()
    except HttpError:
        return False
    return True


def path_of(route: Route) -> str:
    """Return the address of a route as the description names it."""
    is_predict = route.method == "POST" and route.pattern in _PREDICT
    return route.pattern + ":predict" if is_predict else route.pattern


def _operation(route: Route) -> Dict[str, Any]:
    path = path_of(route)
    endpoint = route.load()
    text = (endpoint.__doc__ or endpoint.__name__).strip().split("\n")[0]
    found: Dict[str, Any] = {
        "operationId": _identifier(route.method, path),
        "summary": text.replace("``", "`"),
        "tags": [_tag(path)],
        "parameters": [_parameter(name) for name in re.findall(r"{(\w+)}", path)],
        "responses": _responses(route, path),
        # A probe is answered without a token; a server without one needs it nowhere.
        "security": [{}] if route.probe else [{"token": []}, {}],
    }
    if route.method == "POST":
        found["requestBody"] = {"content": _content(body_of(REQUESTS, path)), "required": False}
    return found


def _responses(route: Route, path: str) -> Dict[str, Any]:
    answer = body_of(ANSWERS, path) if route.method != "DELETE" else Body()
    found = {"200": {"description": "Success.", "content": _content(answer)}}
    for status, text in _ERRORS.items():
        if not (status == "401" and route.probe):
            found[status] = {"description": text, "content": _content(Body("Error"))}
    return found


def _content(body: Body) -> Dict[str, Any]:
    found: Dict[str, Any] = {name: {} for name in body.others}
    if body.json:
        found[JSON] = {"schema": ref(body.schema)}
    return found


def _parameter(name: str) -> Dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _identifier(method: str, path: str) -> str:
    return method.lower() + (re.sub(r"\W+", "_", path).rstrip("_") or "_root")


def _tag(path: str) -> str:
    first = path.split("/")[1]
    return {"v1": "OpenAI and KServe v1", "v2": "Open Inference Protocol"}.get(
        first, "Edgewright" if first == "edgewright" else "Platforms and probes"
    )


@lru_cache(maxsize=1)
def content(routes: Tuple[Route, ...], version: str) -> bytes:
    """Return the description as the bytes of an answer, which are made once."""
    return json.dumps(describe(routes, version)).encode("utf-8")
