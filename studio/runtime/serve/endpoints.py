"""All endpoints of a server, with those of the contracts that its environment names."""

from __future__ import annotations

import os

from ..main import RUNTIME_VERSION
from .about import routes as about
from .apps import routes as apps
from .contracts.table import routes
from .openapi.document import with_description
from .rest import metrics, model_repository, open_inference, overrides, status, telemetry

ROUTES = with_description(
    open_inference.ROUTES
    + model_repository.ROUTES
    + status.ROUTES
    + telemetry.ROUTES
    + overrides.ROUTES
    + metrics.ROUTES
    + apps.ROUTES
    + about.ROUTES
    + routes(os.environ),
    RUNTIME_VERSION,
)
