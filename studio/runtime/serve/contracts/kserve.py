"""The first protocol of KServe and TensorFlow Serving."""

from __future__ import annotations

from typing import Mapping, Optional

from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..rest.open_inference import models as list_models
from ..rest.router import Route
from ..service import Service
from .call import Contract, ask

Names = Mapping[str, str]
CONTRACT = Contract(outputs_key="outputs")


def model_ready(service: Service, exchange: Exchange, names: Names) -> Response:
    """Whether a model takes requests."""
    model = service.repository.find(names["model"], names.get("version", ""))
    if not service.ready:
        raise HttpError(503, "The server is not ready.")
    return Response.of({"name": model.name, "ready": True})


def predict(service: Service, exchange: Exchange, names: Names) -> Optional[Response]:
    """Run a model; the last segment of the address is ``NAME:predict``."""
    last = "version" if "version" in names else "model"
    name, _, verb = names[last].rpartition(":")
    if verb != "predict":
        raise HttpError(404, "Only :predict is done here.")
    found = {**names, last: name}
    repository = service.repository
    return ask(
        service,
        exchange,
        lambda: repository.find(found["model"], found.get("version", "")),
        CONTRACT,
    )


_MODEL = "/v1/models/{model}"
_VERSION = _MODEL + "/versions/{version}"

ROUTES = (
    Route("GET", "/v1/models", list_models),
    Route("GET", _MODEL, model_ready),
    Route("POST", _MODEL, predict, body=None),
    Route("GET", _VERSION, model_ready),
    Route("POST", _VERSION, predict, body=None),
)
