"""The addresses that Azure Machine Learning's own server has, and its deployments expect."""

from __future__ import annotations

from typing import Mapping, Optional

from ..http.exchange import Exchange
from ..http.message import Response
from ..rest.router import Route
from ..service import Service
from .call import Contract, ask, only_model

Names = Mapping[str, str]


def alive(service: Service, exchange: Exchange, names: Names) -> Response:
    """The process answers; KServe's first protocol has the same address for it."""
    return Response.of({"status": "alive"})


def score(service: Service, exchange: Exchange, names: Names) -> Optional[Response]:
    """Run the one model."""
    return ask(service, exchange, lambda: only_model(service), Contract())


ROUTES = (Route("GET", "/", alive, probe=True), Route("POST", "/score", score, body=None))
