"""The address that SageMaker's containers and MLflow's scoring server share.

Both send JSON or CSV to ``/invocations`` and poll ``/ping``. Errors have MLflow's form, as
SageMaker forwards the body of a container unchanged.
"""

from __future__ import annotations

from typing import Optional

from ...main import RUNTIME_VERSION
from ..http.exchange import Exchange
from ..http.message import Response
from ..rest.router import PathNames, Route
from ..service import Service
from .call import Contract, only_model, run_request

_TEXT = "text/plain; charset=utf-8"
_CODES = {
    400: "BAD_REQUEST",
    404: "RESOURCE_DOES_NOT_EXIST",
    409: "RESOURCE_ALREADY_EXISTS",
    413: "BAD_REQUEST",
    415: "BAD_REQUEST",
    503: "TEMPORARILY_UNAVAILABLE",
    507: "RESOURCE_LIMIT_EXCEEDED",
}


def refusal(status: int, sentence: str, headers: str) -> Response:
    """MLflow's error body."""
    code = _CODES.get(status, "INTERNAL_ERROR")
    response = Response.of({"error_code": code, "message": sentence}, status)
    response.headers = headers
    return response


CONTRACT = Contract(strict=True, refusal=refusal)


def invoke(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Run the one model."""
    return run_request(service, exchange, lambda: only_model(service), CONTRACT)


def ping(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """200 while requests are welcome; SageMaker and load balancers look at nothing else."""
    ready = service.is_ready
    return Response(200 if ready else 503, b"\n", _TEXT)


def version(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the version of this server (MLflow's gives its own)."""
    return Response(200, RUNTIME_VERSION.encode("ascii"), _TEXT)


ROUTES = (
    Route("GET", "/ping", ping, probe=True),
    Route("GET", "/health", ping, probe=True),
    Route("GET", "/version", version),
    Route("POST", "/invocations", invoke, body=None),
)
