"""The endpoints of the model repository extension: what is there, load and unload."""

from __future__ import annotations

import json
import sys
import traceback
from typing import Awaitable, Callable, Dict, Iterable, List, Optional

from ..engine.catalog import Catalog
from ..http.body import too_large
from ..http.exchange import Exchange
from ..http.message import HttpError, Response
from ..service import Service
from .router import CONTROL_BYTES, PathNames, Route

_JSON = "application/json"
_FIXED = "This server serves what was deployed to it; models come and go by deploying."


def index(service: Service, ready: bool) -> List[Dict[str, str]]:
    """Return a row for each model served, and unless they are to be ready, of the folder."""
    if service.catalog is not None:
        return service.catalog.index(ready)
    return [
        {"name": model.name, "version": model.version, "state": "READY", "reason": ""}
        for model in service.repository.all()
    ]


def check_parameters(parameters: Iterable[str]) -> None:
    """Refuse parameters that bring a model or its configuration along.

    Raises:
        HttpError: 400.
    """
    # Triton accepts a model inside the request; here a client must not bring code to run.
    if any(key == "config" or key.startswith("file:") for key in parameters):
        raise HttpError(400, "A model is loaded from the server's folder, not from a request.")


def repository_index(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return the models that are served, and those of the folder that are not."""
    return Response.of(index(service, document_of(exchange).get("ready") is True))


def repository_load(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Load a model from the folder, or load it again when its files have changed."""
    check_json(exchange)
    catalog = catalog_of(service)
    parameters = document_of(exchange).get("parameters") or {}
    if not isinstance(parameters, dict):
        raise HttpError(400, "The parameters must be an object.")
    check_parameters(parameters)
    later(service, exchange, catalog.load(names.model))
    return None


def repository_unload(service: Service, exchange: Exchange, names: PathNames) -> Optional[Response]:
    """Serve a model no longer."""
    check_json(exchange)
    catalog = catalog_of(service)
    document_of(exchange)
    later(service, exchange, catalog.unload(names.model))
    return None


def catalog_of(service: Service) -> Catalog:
    """Return the folder of models.

    Raises:
        HttpError: 400, when the server serves no folder.
    """
    if service.catalog is None:
        raise HttpError(400, _FIXED)
    return service.catalog


def document_of(exchange: Exchange) -> Dict[str, object]:
    """Return the JSON object of a request; empty when it has no body.

    Raises:
        HttpError: 400, when it is not an object.
    """
    body = exchange.request.body
    if not body:
        return {}
    if len(body) > CONTROL_BYTES:
        raise too_large(CONTROL_BYTES)
    try:
        document = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise HttpError(400, "The request is not valid JSON.") from None
    if not isinstance(document, dict):
        raise HttpError(400, "The request must be a JSON object.")
    return document


def check_json(exchange: Exchange) -> None:
    """Refuse to change something for a form or a script of a web page, which cannot send JSON.

    Clients of Triton do not say what they send; browsers always do, or name their page (see
    ``hosts``).

    Raises:
        HttpError: 415.
    """
    kind = exchange.request.headers.get("content-type", _JSON)
    if kind.partition(";")[0].strip().lower() != _JSON:
        raise HttpError(415, "Send this request with Content-Type: application/json.")


def later(
    service: Service,
    exchange: Exchange,
    work: Awaitable[None],
    refused: Callable[[HttpError], Response] = HttpError.response,
) -> None:
    """Answer when the work is done.

    Args:
        refused: Makes the answer of an error.
    """

    async def done() -> Response:
        await work
        return Response.of({})

    later_response(service, exchange, done(), refused)


def later_response(
    service: Service,
    exchange: Exchange,
    work: Awaitable[Response],
    refused: Callable[[HttpError], Response] = HttpError.response,
) -> None:
    """Answer with a response that is still to be made; otherwise as ``later``."""

    async def do() -> None:
        try:
            response = await work
        except HttpError as error:
            response = refused(error)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            response = refused(HttpError(500, "Internal server error. See the server log."))
        exchange.answer(response)

    service.begin(do())


_MODEL = "/v2/repository/models/{model}"

ROUTES = (
    Route("POST", "/v2/repository/index", repository_index),
    Route("POST", _MODEL + "/load", repository_load),
    Route("POST", _MODEL + "/unload", repository_unload),
)
