"""The first protocol of KServe and TensorFlow Serving."""

from __future__ import annotations

from typing import Optional

from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..rest.router import PathNames, Route
from ..service import Service
from .call import Contract, run_request
from .openai.models import describe, models

CONTRACT = Contract(outputs_key="outputs")


def model_ready(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return whether a model takes requests."""
    model = service.repository.find(names.model, names.version)
    if not service.ready:
        raise HttpError(503, "The server is not ready.")
    found = {"name": model.name, "ready": True}
    return Response.of({**found, **(describe(service, model) or {})})


def predict(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Run a model; the last segment of the address is ``NAME:predict``."""
    last, _, verb = (names.version or names.model).rpartition(":")
    if verb != "predict":
        raise HttpError(404, "Only :predict is done here.")
    model, version = (names.model, last) if names.version else (last, "")
    find = service.repository.find
    return run_request(service, exchange, lambda: find(model, version), CONTRACT)


_MODEL = "/v1/models/{model}"
_VERSION = _MODEL + "/versions/{version}"

ROUTES = (
    Route("GET", "/v1/models", models),
    Route("GET", _MODEL, model_ready),
    Route("POST", _MODEL, predict, body=None),
    Route("GET", _VERSION, model_ready),
    Route("POST", _VERSION, predict, body=None),
)
