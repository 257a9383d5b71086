"""The addresses that Azure Machine Learning's own server has, and its deployments expect."""

from __future__ import annotations

from typing import Optional

from ..http.exchange import Exchange
from ..http.message import Response
from ..rest.router import PathNames, Route
from ..service import Service
from .call import Contract, only_model, run_request


def alive(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Report that the process lives; KServe's first protocol has the same address."""
    return Response.of({"status": "alive"})


def score(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Run the one model."""
    return run_request(service, exchange, lambda: only_model(service), Contract())


ROUTES = (Route("GET", "/", alive, probe=True), Route("POST", "/score", score, body=None))
