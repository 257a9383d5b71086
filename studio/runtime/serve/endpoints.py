"""All endpoints of a server, with those of the contracts that its environment names."""

from __future__ import annotations

import os
from typing import Tuple

from ..main import RUNTIME_VERSION
from .contracts.table import routes
from .http.exchange import Exchange
from .http.message import Response
from .rest import metrics, model_repository, open_inference, status, telemetry
from .rest.router import Deferred, PathNames, Route
from .service import Service

_APP = "..apps.routes"
_DEFERRED = (
    Route("POST", "/edgewright/models/{model}/override", Deferred(".overrides", "override")),
    Route("GET", "/edgewright/app", Deferred(_APP, "app_status")),
    Route("GET", "/edgewright/app/events", Deferred(_APP, "app_events")),
    Route("GET", "/edgewright/app/preview", Deferred(_APP, "app_preview")),
    Route("GET", "/edgewright/app/stream/{name}", Deferred(_APP, "app_stream")),
    Route("POST", "/edgewright/app/overrides", Deferred("..apps.overrides", "add_override")),
    Route("GET", "/app", Deferred(_APP, "app_page"), probe=True),
    Route("GET", "/about", Deferred("..about.routes", "about_page"), probe=True),
    Route("GET", "/edgewright/about", Deferred("..about.routes", "about_json"), probe=True),
)
"""Routes of what few servers have, or few clients want."""

ADDRESS = "/openapi.json"


def description(service: Service, exchange: Exchange, names: PathNames) -> Response:
    """Return this description."""
    from .openapi.document import content

    return Response(200, content(ROUTES, RUNTIME_VERSION))


ROUTES: Tuple[Route, ...] = (
    *open_inference.ROUTES,
    *model_repository.ROUTES,
    *status.ROUTES,
    *telemetry.ROUTES,
    *metrics.ROUTES,
    *_DEFERRED,
    *routes(os.environ),
    Route("GET", ADDRESS, description),
)
