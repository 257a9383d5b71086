"""The endpoint of a target: what serves a deployed model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TypeVar

from studio.deployment.results import (
    DeployResult,
    LogsResult,
    ReleasesResult,
    SwitchResult,
    UndeployResult,
)
from studio.documents.dataclass_json import from_json
from studio.library.report import Report, ResultTable
from studio.library.reports import CallReport, MonitorReport
from studio.library.session import Session
from studio.monitoring.endpoint.results import CallResult
from studio.monitoring.results import TargetSample

File = str | os.PathLike[str]
FormT = TypeVar("FormT")


class ReleasesReport(Report[ReleasesResult]):
    """The releases of a target."""

    def table(self) -> ResultTable:
        """Return a row for each release, the newest first."""
        columns = ("version", "state", "name", "release", "at", "by")
        rows = [
            (one.version, one.state, one.name, one.release[:12], one.at, one.by)
            for one in self.result.releases
        ]
        return ResultTable(columns, rows)


class Endpoint:
    """The endpoint of a target, from ``Model.deploy`` or ``studio.endpoint``.

    Attributes:
        target: Name of the target, or TARGET/NAME for one of several endpoints.
        reference: The same, where an option takes a target.
        deployed: Report of the deployment; None for an endpoint that was deployed before.
    """

    def __init__(
        self, session: Session, target: str, deployed: Report[DeployResult] | None = None
    ) -> None:
        self._session = session
        self._url = deployed.result.endpoint if deployed else ""
        self.target = self.reference = target
        self.deployed = deployed

    def __repr__(self) -> str:
        return f"<Endpoint {self.target}>"

    def _repr_html_(self) -> str:
        """Return the releases of the target for a notebook."""
        return self.releases()._repr_html_()

    @property
    def url(self) -> str:
        """The address for requests; empty while nothing is served."""
        if not self._url:
            self._url = self.releases().result.endpoint or ""
        return self._url

    def call(
        self, data: File | None = None, *, requests: int = 100, connections: int = 1
    ) -> CallReport:
        """Send requests and measure their latency.

        Args:
            data: Samples that are sent in turn; random inputs by default.
            connections: Number of parallel requests.

        Raises:
            TargetError: when the endpoint does not answer.
        """
        given = {"data": data, "requests": requests, "connections": connections}
        return CallReport("call", *self._run("call", CallResult, given))

    def monitor(
        self, seconds: float = 0, *, interval: float = 1.0, **options: object
    ) -> MonitorReport:
        """Return health, throughput, latency, errors and drift.

        Args:
            seconds: How long the endpoint is watched; 0 takes one sample.
            interval: Seconds from one sample to the next.
            options: Further options of ``studio monitor``, with underscores (``alerts``,
                ``labels``).
        """
        given = {"target": self.target, "seconds": seconds, "interval": interval, **options}
        done = self._session.run("monitor", given, collected="sample")
        samples = tuple(from_json(TargetSample, one) for one in done.messages)
        assert isinstance(done.result, TargetSample)
        return MonitorReport("monitor", done.result, done.notes, samples or (done.result,))

    def releases(self) -> ReleasesReport:
        """Return the releases of the target, the newest first."""
        return ReleasesReport("releases", *self._run("releases", ReleasesResult, {}))

    def logs(self, lines: int = 50) -> Report[LogsResult]:
        """Return the last lines that the server logged."""
        return Report("logs", *self._run("logs", LogsResult, {"lines": lines}))

    def rollback(self, to: str | None = None) -> Report[SwitchResult]:
        """Serve a previous release again.

        Args:
            to: The release or its version; the previous one by default.

        Raises:
            UsageError: when the target keeps no such release.
        """
        done = Report("rollback", *self._run("rollback", SwitchResult, {"to": to}))
        self._url = done.result.endpoint or ""
        return done

    def undeploy(self, *, purge: bool = False) -> Report[UndeployResult]:
        """Stop the release.

        Args:
            purge: Whether its files on the target are deleted, too.
        """
        done = Report("undeploy", *self._run("undeploy", UndeployResult, {"purge": purge}))
        self._url = ""
        return done

    def _run(
        self, step: str, form: type[FormT], options: Mapping[str, object]
    ) -> tuple[FormT, tuple[str, ...]]:
        done = self._session.run(step, {"target": self.target, **options})
        assert isinstance(done.result, form)
        return done.result, done.notes
