"""Addresses at which SageMaker's multi-model endpoints load, list, unload and invoke models.

The platform unpacks a model below a folder and then names it and its place; names are its own.
Errors have the form of ``invocations``.
"""

from __future__ import annotations

from typing import Dict, Mapping, Optional
from urllib.parse import parse_qs

from ..engine.served_model import ServedModel
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..rest.model_repository import catalog_of, check_json, document_of, later
from ..rest.router import PathNames, Route
from ..service import Service
from .call import run_request
from .invocations import CONTRACT, refusal

_PAGE = 100
"""Models on one page of the list."""
_LONGEST_NAME = 256


def load(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Load ``{"model_name": ..., "url": ...}``."""
    try:
        check_json(exchange)
        document = document_of(exchange)
        name, url = _text(document, "model_name"), _text(document, "url")
        work = catalog_of(service).add(name, url)
    except HttpError as error:
        return _refused(error)
    later(service, exchange, work, _refused)
    return None


def unload(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Serve a model no longer."""
    try:
        catalog = catalog_of(service)
        service.repository.find(names.model)
    except HttpError as error:
        return _refused(error)
    later(service, exchange, catalog.unload(names.model), _refused)
    return None


def index(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the loaded models by their names, a page at a time."""
    after = parse_qs(exchange.request.query).get("next_page_token", [""])[0]
    found = sorted({model.name for model in service.repository.all()})
    left = [name for name in found if name > after]
    page = left[:_PAGE]
    document: Dict[str, object] = {
        "models": [_described(service, service.repository.find(name)) for name in page]
    }
    if len(left) > len(page):
        document["nextPageToken"] = page[-1]
    return Response.of(document)


def describe(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """One model, when it is loaded."""
    try:
        return Response.of(_described(service, service.repository.find(names.model)))
    except HttpError as error:
        return _refused(error)


def invoke(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Run a model."""
    return run_request(service, exchange, lambda: service.repository.find(names.model), CONTRACT)


def _described(service: Service, model: ServedModel) -> Dict[str, str]:
    catalog = service.catalog
    url = str(model.source.path) if catalog is None else catalog.place_of(model)
    return {"modelName": model.name, "modelUrl": url}


def _text(document: Mapping[str, object], key: str) -> str:
    value = document.get(key)
    if not isinstance(value, str) or not value or not value.isprintable():
        raise HttpError(400, "The request must have a text {!r}.".format(key))
    if key == "model_name" and len(value) > _LONGEST_NAME:
        raise HttpError(400, "The name of the model is too long.")
    return value


def _refused(error: HttpError) -> Response:
    return refusal(error.status, error.sentence, error.headers)


_MODEL = "/models/{model}"

ROUTES = (
    Route("POST", "/models", load),
    Route("GET", "/models", index),
    Route("GET", _MODEL, describe),
    Route("DELETE", _MODEL, unload),
    Route("POST", _MODEL + "/invoke", invoke, body=None),
)
