"""The REST endpoints of the Open Inference Protocol v2, with Triton's statistics and index."""

from __future__ import annotations

from typing import Optional

from ..engine.served_model import ServedModel
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..service import Service
from . import descriptions
from .router import PathNames, Route


def _model(service: Service, names: PathNames) -> ServedModel:
    return service.repository.find(names.model, names.version)


def server_metadata(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Name and version of the server, and what it can do beyond the protocol."""
    return Response.of(descriptions.server())


def server_live(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Report that the process lives."""
    return Response.of({"live": True})


def server_ready(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """All models are loaded, and the server is not about to end."""
    if not service.is_ready:
        raise HttpError(503, "The server is not ready.")
    return Response.of({"ready": True})


def models(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the names of the models."""
    return Response.of({"models": sorted({model.name for model in service.repository.all()})})


def model_ready(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Report that the version is loaded."""
    model = _model(service, names)
    descriptions.check_ready(service)
    return Response.of({"name": model.name, "ready": True})


def model_metadata(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Inputs and outputs of a model."""
    model = _model(service, names)
    return _named(Response.of(descriptions.metadata(service, model)), model)


def _named(response: Response, model: ServedModel) -> Response:
    response.headers = model.headers
    return response


def model_config(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return a model in the words of Triton's configuration, for clients that ask for it."""
    model = _model(service, names)
    return _named(Response.of(descriptions.config(model)), model)


def model_infer(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Run the model."""
    return service.infer(exchange, _model(service, names))


def model_statistics(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Counts and durations of one model, or of all."""
    name, version = names.model, names.version
    models = descriptions.counted_models(service, name, version)
    return Response.of(descriptions.statistics(models))


_MODEL = "/v2/models/{model}"
_VERSION = _MODEL + "/versions/{version}"

ROUTES = (
    Route("GET", "/v2", server_metadata),
    Route("GET", "/v2/health/live", server_live, probe=True),
    Route("GET", "/v2/health/ready", server_ready, probe=True),
    Route("GET", "/v2/models", models),
    Route("GET", "/v2/models/stats", model_statistics),
    Route("GET", _MODEL, model_metadata),
    Route("GET", _MODEL + "/ready", model_ready),
    Route("GET", _MODEL + "/config", model_config),
    Route("GET", _MODEL + "/stats", model_statistics),
    Route("POST", _MODEL + "/infer", model_infer, body=None),
    Route("GET", _VERSION, model_metadata),
    Route("GET", _VERSION + "/ready", model_ready),
    Route("GET", _VERSION + "/config", model_config),
    Route("GET", _VERSION + "/stats", model_statistics),
    Route("POST", _VERSION + "/infer", model_infer, body=None),
)
