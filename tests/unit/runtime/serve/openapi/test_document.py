"""The description names each route of the server with its method, and nothing besides."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from studio.runtime.serve.endpoints import ADDRESS, ROUTES
from studio.runtime.serve.openapi.document import describe, path_of
from studio.runtime.serve.rest.router import Route


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(ROUTES, "1.0")


def test_it_names_exactly_the_routes(document: dict[str, Any]) -> None:
    described = {
        (method.upper(), path) for path, found in document["paths"].items() for method in found
    }
    assert described == {(route.method, path_of(route)) for route in ROUTES}
    assert len(described) == len(ROUTES)
    assert ("GET", ADDRESS) in described


def test_names_of_operations_are_unique(document: dict[str, Any]) -> None:
    names = [one["operationId"] for found in document["paths"].values() for one in found.values()]
    assert len(set(names)) == len(names)


def test_each_operation_has_a_sentence_of_its_endpoint(document: dict[str, Any]) -> None:
    for route in ROUTES:
        summary = document["paths"][path_of(route)][route.method.lower()]["summary"]
        assert summary, route.pattern
        assert summary != route.load().__name__, route.pattern


def test_only_probes_need_no_token(document: dict[str, Any]) -> None:
    for route in ROUTES:
        operation = document["paths"][path_of(route)][route.method.lower()]
        assert ({"token": []} in operation["security"]) != route.probe, route.pattern


def test_references_lead_to_schemas(document: dict[str, Any]) -> None:
    wanted = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert wanted == document["components"]["schemas"].keys()


def test_a_route_of_the_environment_is_described(document: dict[str, Any]) -> None:
    def answer(*_: Any) -> None:
        """Answer."""

    more = describe((*ROUTES, Route("POST", "/custom/{model}", answer)), "1.0")
    operation = more["paths"]["/custom/{model}"]["post"]
    assert operation["parameters"][0]["name"] == "model"
    assert "/custom/{model}" not in document["paths"]
