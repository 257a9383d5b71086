"""Vertex AI: the addresses that its variables name."""

from __future__ import annotations

from typing import Mapping, Optional, Tuple

from ..http.exchange import Exchange
from ..http.message import Response
from ..rest.router import CONTROL_BYTES, PathNames, Route
from ..service import Service
from .call import Contract, only_model, run_request
from .invocations import ping

HEALTH = "AIP_HEALTH_ROUTE"
PREDICT = "AIP_PREDICT_ROUTE"


def predict(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Run the one model."""
    return run_request(service, exchange, lambda: only_model(service), Contract())


def routes(environment: Mapping[str, str]) -> Tuple[Route, ...]:
    """Return the rows for the addresses that the platform has chosen; none outside of it."""
    rows = (("GET", HEALTH, ping, CONTROL_BYTES), ("POST", PREDICT, predict, None))
    return tuple(
        Route(method, environment[name].rstrip("/") or "/", endpoint, name == HEALTH, body)
        for method, name, endpoint, body in rows
        if environment.get(name, "").startswith("/") and "{" not in environment[name]
    )
