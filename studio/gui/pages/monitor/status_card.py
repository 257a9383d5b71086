"""The state of an endpoint in a sentence, what to do about it, and its alerts."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.pages.shared import target_rows
from studio.gui.widgets.basics import GRID, Card, Scroll, button, clear, label, restyle, row
from studio.lazy_dataclass import dataclass
from studio.monitoring.results import Alert
from studio.workspace import EndpointState, EndpointStatus

MOST = 6
CALM = "No alerts."
_SERVER_ENDED = ("was stopped", "does not run")
_TITLES = {
    EndpointState.UNREACHABLE: "Endpoint unreachable",
    EndpointState.DEGRADED: "Endpoint degraded",
    EndpointState.LOW_ACCURACY: "Low accuracy",
    EndpointState.DRIFT: "Drift",
    EndpointState.DEPLOYING: "Deploying…",
    EndpointState.NOT_CHECKED: "Connecting…",
    EndpointState.HEALTHY: "Endpoint healthy",
    EndpointState.NO_RELEASE: "No release",
}
_ADVICE = {
    EndpointState.DEGRADED: "See the log below, or roll back.",
    EndpointState.LOW_ACCURACY: "Compare the figures under Speed and quality, or roll back.",
    EndpointState.DRIFT: "Compare the signals under Drift.",
    EndpointState.DEPLOYING: "Polling continues.",
}


@dataclass(frozen=True, slots=True)
class AlertLine:
    """An alert as it is listed.

    Attributes:
        state: ``warning``, ``critical``, ``resolved`` or ``not notified``.
    """

    name: str
    state: str
    tone: str
    text: str


class StatusCard(Card):
    """One state word with its reason; it has the same height in every state.

    Args:
        start: Starts the server of the target.
        again: Polls at once.
        drift: Brings the drift signals into view.
    """

    def __init__(
        self,
        start: Callable[[], object],
        again: Callable[[], object],
        drift: Callable[[], object],
    ) -> None:
        super().__init__()
        self.setAccessibleName("State")
        self.title = label("", "section", wrap=True)
        self.sentence = label("", wrap=True)
        self.advice = label("", "dim", wrap=True)
        self.lines: tuple[AlertLine, ...] = ()
        self._list = QWidget()
        self._rows = QVBoxLayout(self._list)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(4)
        self.start = button("Start the server", start)
        self.again = button("Try again", again)
        self.drift = button("Show drift", drift)
        content = Scroll(margin=0, spacing=GRID)
        for part in (self.sentence, self.advice, self._list):
            content.body.addWidget(part)
        content.body.addStretch(1)
        self.body.setContentsMargins(2 * GRID, GRID + 4, 2 * GRID, GRID + 4)
        self.body.addWidget(self.title)
        self.body.addWidget(content, 1)
        self._buttons = (self.start, self.again, self.drift)
        self.body.addLayout(row(*self._buttons, None))
        self.show_status(EndpointStatus(), "")

    def show_status(self, status: EndpointStatus, target: str, last: str = "") -> None:
        """Show a state.

        Args:
            target: Name of the target.
            last: Time of the last figures, where they are old.
        """
        state = status.state
        self._show_title(_TITLES[state], status.tone)
        first = status.reasons[0] if status.reasons else ""
        ended = any(words in first for words in _SERVER_ENDED)
        is_lost = state is EndpointState.UNREACHABLE
        if state is EndpointState.HEALTHY:
            first = CALM
        elif state is EndpointState.NOT_CHECKED:
            first = "The figures appear with the first answer."
        elif state is EndpointState.NO_RELEASE:
            first = "Deploy a model to it."
        self.sentence.setText(first)
        advice = _ADVICE.get(state, "")
        if is_lost and ended:
            advice = "Start the server. The figures below are the last known ones."
        elif is_lost:
            name = target_rows.spoken(target)
            advice = f"Check the power and the network of {name}. Polling continues."
            advice += f" The figures below are of {last}." if last else ""
        self.advice.setText(advice)
        self.advice.setVisible(bool(advice))
        self.start.setVisible(is_lost and ended)
        self.again.setVisible(is_lost and not ended)
        self.drift.setVisible(state is EndpointState.DRIFT)

    def _show_title(self, text: str, tone: str) -> None:
        self.title.setText(text)
        if tone != (self.title.property("tone") or ""):
            restyle(self.title, tone=tone)

    def show_failure(self, sentence: str, hint: str) -> None:
        """Show why the watch itself ended."""
        self._show_title("Polling ended", "")
        self.sentence.setText(sentence)
        self.advice.setText(hint or "Try again.")
        self.advice.show()
        self.again.show()

    def show_alerts(self, lines: Iterable[AlertLine]) -> None:
        """List the alerts that the sentence above does not name, and those that are over."""
        shown = tuple(line for line in lines if line.text != self.sentence.text())[:MOST]
        if shown == self.lines:
            return
        self.lines = shown
        clear(self._rows)
        for line in shown:
            head = QWidget()
            state = label(line.state, "" if line.tone else "dim", tone=line.tone)
            head.setLayout(row(label(line.name, "strong"), state, None))
            self._rows.addWidget(head)
            text = label(line.text, "dim", wrap=True)
            text.setAccessibleName(f"{line.name}: {line.state}. {line.text}")
            self._rows.addWidget(text)


def alert_line(alert: Alert, at: str, *, active: bool) -> AlertLine:
    """Return an alert as a line; one that is over has the time at which it was last seen."""
    name = alert.name.capitalize()
    if active:
        tone = "bad" if alert.level == "critical" else "warning"
        return AlertLine(name, alert.level, tone, alert.text)
    return AlertLine(name, "resolved", "", f"{alert.text} Last seen {figures.moment(at)}.")
