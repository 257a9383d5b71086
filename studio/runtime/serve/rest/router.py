"""Which endpoint answers which method and path: data, so that another contract is more rows."""

from __future__ import annotations

from importlib import import_module
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple
from urllib.parse import unquote

from ...parts import MissingPart
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..service import Service


class PathNames(NamedTuple):
    """The named parts of a path; empty where its pattern lacks them."""

    model: str = ""
    name: str = ""
    version: str = ""


Endpoint = Callable[[Service, Exchange, PathNames], Optional[Response]]
"""Answers an exchange (see ``http.connection.AnswerRequest``); gets the path's named parts."""

CONTROL_BYTES = 64 * 1024
"""Of the body of a request that brings no tensors."""
TEXT_BYTES = 8 << 20
"""Of the body of a request that brings a text."""
_CACHED = 256


class Deferred:
    """An endpoint whose module is loaded by its first request: few servers answer texts.

    Args:
        module: Relative to the package of this module.
    """

    def __init__(self, module: str, name: str) -> None:
        self._module, self._name = module, name

    def load(self) -> Endpoint:
        """Load the module, and return its endpoint.

        Raises:
            HttpError: 404, where its part did not travel.
        """
        try:
            endpoint: Endpoint = getattr(import_module(self._module, __package__), self._name)
        except MissingPart as error:
            raise HttpError(404, str(error)) from None
        return endpoint

    def __call__(
        self, service: Service, exchange: Exchange, names: PathNames
    ) -> Optional[Response]:
        """Answer with the endpoint."""
        return self.load()(service, exchange, names)


class Route(NamedTuple):
    """One row of the routes: ``{name}`` in the pattern matches one segment of the path.

    Attributes:
        probe: Whether it reveals only that the server lives: answered without a token.
        body: Bytes that the body may have; None for the limit of the server.
    """

    method: str
    pattern: str
    endpoint: Endpoint
    probe: bool = False
    body: Optional[int] = CONTROL_BYTES

    def load(self) -> Endpoint:
        """Return the endpoint itself; the module of a deferred one is loaded."""
        return self.endpoint.load() if isinstance(self.endpoint, Deferred) else self.endpoint


class Router:
    """Finds the row for a request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        routes = tuple(routes)
        self._rows: Dict[int, List[Tuple[List[str], Route]]] = {}
        for route in routes:
            segments = route.pattern.split("/")
            self._rows.setdefault(len(segments), []).append((segments, route))
        self._probes = {route.pattern for route in routes if route.probe}
        self._cache: Dict[Tuple[str, str], Tuple[Endpoint, PathNames]] = {}

    def is_probe(self, method: str, path: str) -> bool:
        """Return whether this asks for no more than whether the server lives."""
        return method in ("GET", "HEAD") and (path.rstrip("/") or "/") in self._probes

    def find(self, method: str, path: str) -> Tuple[Endpoint, PathNames]:
        """Return the endpoint, and the values of the pattern's names.

        Raises:
            HttpError: 404, or 405 with the methods that are allowed.
        """
        key = (method, path)
        found = self._cache.get(key)
        if found is None:
            route, names = self._search(method, path)
            found = route.endpoint, names
            if len(self._cache) >= _CACHED:  # a client sends ever new paths
                self._cache.clear()
            self._cache[key] = found
        return found

    def body_of(self, method: str, path: str) -> Optional[int]:
        """Bytes that the body of a request may have; None for the limit of the server.

        Raises:
            HttpError: as in ``find``.
        """
        return self._search(method, path)[0].body

    def _search(self, method: str, path: str) -> Tuple[Route, PathNames]:
        method = "GET" if method == "HEAD" else method
        given = path.rstrip("/").split("/") if len(path) > 1 else path.split("/")
        allowed = []
        for segments, route in self._rows.get(len(given), ()):
            names = _match(segments, given)
            if names is None:
                continue
            if route.method == method:
                return route, names
            allowed.append(route.method)
        if allowed:
            methods = ", ".join(sorted(set(allowed) | ({"HEAD"} if "GET" in allowed else set())))
            raise HttpError(
                405,
                "This address takes {} only.".format(methods),
                headers="Allow: {}\r\n".format(methods),
            )
        raise HttpError(404, "There is nothing at this address.")


def _match(segments: List[str], given: List[str]) -> Optional[PathNames]:
    names: Dict[str, str] = {}
    for segment, value in zip(segments, given):
        if segment.startswith("{"):
            if not value:
                return None
            names[segment[1:-1]] = unquote(value)
        elif segment != value:
            return None
    return PathNames(**names)
