"""Views of an endpoint: through a machine's channel, or a platform's session."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from studio.api import Channel, Measurement, Progress, Site, TargetError, TargetSpec, Tunnel
from studio.deployment.liveness import IDLE, SERVING, Liveness, liveness, server_info
from studio.deployment.machine.releases import machine_releases
from studio.deployment.machine_verbs import tail
from studio.documents.dataclass_json import read_parts
from studio.monitoring.endpoint.collect import Reading, read
from studio.monitoring.endpoint.endpoint import Endpoint, endpoint_of, token_of
from studio.monitoring.endpoint.labels import send_labels
from studio.monitoring.endpoint.results import FetchedRequests
from studio.monitoring.endpoint.status import ServerReport, ServerStatus
from studio.monitoring.endpoint.telemetry import TelemetryLine, read_telemetry
from studio.monitoring.endpoint.uncertain_samples import fetch_samples, forget_samples
from studio.monitoring.results import TargetRelease
from studio.targets import inventory
from studio.targets.connect import open_channel, root_of
from studio.targets.platforms import site_of
from studio.targets.target import open_target


def view_of(target: TargetSpec, progress: Progress) -> MachineView | PlatformView:
    """Return the view of an endpoint, not connected yet."""
    return open_target(target).choose(MachineView, PlatformView)(target, progress)


class MachineView:
    """A view through a channel, and a tunnel to the server's port.

    Its connections stay open between two polls. Call ``open`` before each other method. All raise
    TargetError when the target does not answer or has nothing to read.

    Attributes:
        report: Known fields of the release, whether it answers or not.
        live: State of the endpoint, and its URL.
    """

    def __init__(self, target: TargetSpec, progress: Progress) -> None:
        self.report = ServerReport()
        self.live = Liveness(IDLE)
        self._target = target
        self._progress = progress
        self._open = ExitStack()
        self._channel: Channel | None = None
        self._root = ""
        self._tunnel: Tunnel | None = None
        self._endpoint: Endpoint | None = None

    def open(self) -> None:
        """Open the channel if necessary, and read the server's report."""
        if self._channel is None:
            self._channel = open_channel(self._target, self._progress)
            self._open.callback(self._channel.close)
            self._root = root_of(self._target, self._channel)
        document = server_info(self._channel, self._root)
        self.live = liveness(self._target, document)
        report = read_parts(ServerReport, document)
        if report.address != self.report.address:
            self.rest()
        self.report = report

    def read(self) -> Reading:
        """Read from the server behind the tunnel."""
        if not self.report.port:
            raise TargetError("This target has no release yet.")
        if self.report.state == "stopped":
            raise TargetError("The server on this target was stopped.")
        if not self.report.running:
            raise TargetError("The server on this target is not running.")
        if self._tunnel is None or self._endpoint is None:
            assert self._channel is not None
            self._tunnel = self._channel.forward(self.report.port)
            self._endpoint = endpoint_of(
                self._target, self._channel, self._root, self.report, self._tunnel
            )
        return read(self._endpoint)

    def send_labels(self, labels: Mapping[str, str]) -> None:
        """Send labels to the server behind the tunnel."""
        self.read()
        assert self._endpoint is not None
        send_labels(self._endpoint, labels)

    def fetch_samples(self, folder: Path) -> FetchedRequests:
        """Copy stored requests over the channel, whether a server runs or not."""
        assert self._channel is not None
        return fetch_samples(self._channel, self._root, folder)

    def forget_samples(self) -> int:
        """Delete stored requests over the channel."""
        assert self._channel is not None
        return forget_samples(self._channel, self._root)

    def telemetry(self) -> list[TelemetryLine]:
        """Return the telemetry of the server behind the tunnel."""
        self.read()
        assert self._endpoint is not None
        return read_telemetry(self._endpoint)

    def log(self, lines: int) -> tuple[str, ...]:
        """Return the end of the log file."""
        assert self._channel is not None
        return tuple(tail(self._channel, self._root, lines))

    def releases(self) -> tuple[TargetRelease, ...]:
        """Return the releases of the target's record; those with files can serve again."""
        assert self._channel is not None
        found = machine_releases(inventory.read(self._channel, self._root), self.live)
        return tuple(TargetRelease(one.release, one.version, one.state, one.kept) for one in found)

    def rest(self) -> None:
        """Close the tunnel."""
        if self._tunnel is not None:
            self._tunnel.close()
        self._tunnel = self._endpoint = None

    def close(self) -> None:
        """Close the tunnel and the channel."""
        self.rest()
        self._channel = None
        self._open.close()


class PlatformView:
    """A view through a platform: its own metrics if it has some, else the server's."""

    def __init__(self, target: TargetSpec, progress: Progress) -> None:
        self.report = ServerReport()
        self.live = Liveness(IDLE)
        self._target = target
        self._progress = progress
        self._open = ExitStack()
        self._site: Site | None = None
        self._tunnel: Tunnel | None = None

    def open(self) -> None:
        """Open the session, and find the current release."""
        if self._site is None:
            _, self._site = self._open.enter_context(site_of(self._target, self._progress))
        serving = next((one for one in self._site.releases() if one.state == "serving"), None)
        before = self.report.digest
        self.report = ServerReport()
        if serving is not None:
            self.report = replace(
                self.report,
                name=serving.name,
                version=serving.version,
                digest=serving.release,
            )
        self.live = Liveness(SERVING if serving is not None else IDLE)
        if self.report.digest != before:
            self.rest()  # a new release may have another address

    def read(self) -> Reading:
        """Read the platform's metrics, or the server's."""
        if self.live.state != SERVING:
            raise TargetError("This target has no running release.")
        assert self._site is not None
        measured = self._site.measure()
        if measured is not None:
            return Reading(_status(self.report, measured), {})
        if self._tunnel is None:
            self._tunnel = self._site.reach()
        if self._tunnel is None:
            raise TargetError("This platform does not report the status of a release.")
        return read(Endpoint(self._tunnel, ServerReport(), token_of(self._tunnel)))

    def send_labels(self, labels: Mapping[str, str]) -> None:
        """Send labels to the server, if it can be reached."""
        self.read()
        if self._tunnel is None:
            raise TargetError("This platform does not accept labels.")
        send_labels(Endpoint(self._tunnel, ServerReport(), token_of(self._tunnel)), labels)

    def fetch_samples(self, folder: Path) -> FetchedRequests:
        """Refuse, as the studio does not access a platform's disk."""
        raise TargetError("Only boards over SSH and this computer can keep requests.")

    def forget_samples(self) -> int:
        """Refuse, as the studio does not access a platform's disk."""
        raise TargetError("Only boards over SSH and this computer can keep requests.")

    def telemetry(self) -> list[TelemetryLine]:
        """Return the telemetry of the server, if it can be reached."""
        self.read()
        if self._tunnel is None:
            raise TargetError("This platform stores no history.")
        return read_telemetry(Endpoint(self._tunnel, ServerReport(), token_of(self._tunnel)))

    def log(self, lines: int) -> tuple[str, ...]:
        """Return the end of the log that the platform keeps."""
        assert self._site is not None
        return tuple(self._site.logs(lines))

    def releases(self) -> tuple[TargetRelease, ...]:
        """Return the releases that the platform knows; all of them can serve again."""
        assert self._site is not None
        return tuple(
            TargetRelease(one.release, one.version, one.state, True)
            for one in self._site.releases()
        )

    def rest(self) -> None:
        """Close the tunnel to the server."""
        if self._tunnel is not None:
            self._tunnel.close()
        self._tunnel = None

    def close(self) -> None:
        """End the session."""
        self.rest()
        self._site = None
        self._open.close()


def _status(report: ServerReport, measured: Measurement) -> ServerStatus:
    """Convert a platform's measurement to the form of a server's status."""
    document = {
        "name": report.name,
        "version": report.version,
        "digest": report.digest,
        "ready": measured.ready,
        "requests": measured.requests,
        "errors": measured.errors,
        "throughput_rps": measured.throughput,
        "latency_ms": {**measured.latency_ms, "count": measured.requests},
        **measured.facts,
    }
    return read_parts(ServerStatus, document)
