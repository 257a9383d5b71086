"""MLflow as a registry of models, opened at a server's address."""

from __future__ import annotations

import os

from studio.api import Option, Progress
from studio_mlflow.rest import Rest
from studio_mlflow.session import MlflowSession
from studio_mlflow.settings import Server


class MlflowRegistry:
    """A server that was started with ``mlflow server``, or a service that answers like one."""

    id = "mlflow"
    title = "MLflow"
    schemes = ("http", "https")
    options = (
        Option(
            "experiment",
            default="Edgewright",
            help="The experiment of the runs that pushed versions belong to.",
        ),
    )

    def open(self, address: str, progress: Progress) -> MlflowSession:
        """Read MLflow's configuration; the session's first call contacts the server."""
        return MlflowSession(Rest(Server.of(address, os.environ)))
