"""The messages of a live watch, applied to the view of the endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from studio.documents.dataclass_json import JsonValue, from_json
from studio.gui import figures
from studio.gui.pages.monitor.endpoint_view import EndpointView
from studio.gui.pages.monitor.status_card import AlertLine, alert_line
from studio.monitoring.results import (
    UNREACHABLE,
    Alert,
    CallsMessage,
    ChannelMessage,
    LogMessage,
    PastMessage,
    ReleasesMessage,
    TargetSample,
)

if TYPE_CHECKING:
    from studio.workspace import EndpointStatus, Workspace


class LiveMessages:
    """The known facts of one endpoint, and the calls that show them.

    Attributes:
        reachable: Whether the target still has each release, by digest; None before it is known.
    """

    def __init__(self, workspace: Workspace, view: EndpointView) -> None:
        self._workspace = workspace
        self._view = view
        self._target = ""
        self._seen: dict[str, tuple[Alert, str]] = {}
        self._failing: dict[str, str] = {}
        self._sample: TargetSample | None = None
        self._answered = ""
        self.reachable: Mapping[str, bool] | None = None

    def clear(self, target: str, endpoint: str) -> None:
        """Begin with another endpoint, of which nothing is known."""
        self._target = target
        self._sample, self._answered, self.reachable = None, "", None
        self._seen.clear()
        self._failing.clear()
        view = self._view
        view.address.clear(endpoint)
        view.strip.clear()
        view.charts.clear()
        view.log.clear()
        view.drift.show_signals(())
        view.quality.clear(target)
        self._show_alerts()

    def apply(self, name: str, values: Mapping[str, JsonValue]) -> None:
        """Show what a message brings; names of later versions are ignored."""
        view = self._view
        if name == "sample":
            self._apply_sample(from_json(TargetSample, values))
        elif name == "past":
            view.charts.add_past(from_json(PastMessage, values))
        elif name == "log":
            view.log.show_log(from_json(LogMessage, values))
        elif name == "calls":
            view.address.show_calls(from_json(CallsMessage, values))
        elif name == "releases":
            found = from_json(ReleasesMessage, values).releases
            self.reachable = {one.release: one.kept for one in found}
        elif name == "channel":
            notice = from_json(ChannelMessage, values)
            self._failing.pop(notice.channel, None)
            if notice.failed:
                self._failing[notice.channel] = notice.text
            self._show_alerts()

    def _apply_sample(self, sample: TargetSample) -> None:
        self._sample = sample
        if sample.health != UNREACHABLE:
            self._answered = sample.at
        for alert in sample.alerts:
            self._seen.pop(alert.name, None)  # the newest last
            self._seen[alert.name] = (alert, sample.at)
        self._workspace.endpoints.ingest([sample])
        view = self._view
        view.charts.add_sample(sample)
        view.quality.show_sample(sample)
        if sample.health != UNREACHABLE:
            view.drift.show_signals(sample.drift, sample.drift_state)
        self.show_status()

    def show_status(self) -> EndpointStatus:
        """Show the state of the endpoint, as the whole window has it; return it."""
        status = self._workspace.endpoints.of(self._target)
        last = figures.moment(self._answered) if self._answered else ""
        self._view.status.show_status(status, self._target, last)
        if self._sample is not None:
            self._view.strip.show_sample(self._sample, status)
        self._show_alerts()
        return status

    def _show_alerts(self) -> None:
        """List what fires now, then the channels that fail, then what is over."""
        active = {alert.name for alert in self._sample.alerts} if self._sample else set()
        lines = [
            alert_line(alert, at, active=name in active)
            for name, (alert, at) in reversed(self._seen.items())
        ]
        lines += [
            AlertLine(f"Channel {name}", "not notified", "bad", text)
            for name, text in self._failing.items()
        ]
        lines.sort(key=lambda line: not line.tone)
        self._view.status.show_alerts(lines)
