"""Result of a test of an app: expected events against those that were found."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from studio.documents.dataclass_json import from_json
from studio.features.apps.pages.app.event_table import Event, details, facts_of
from studio.features.apps.pages.app.live import StageTime
from studio.gui import figures
from studio.gui.widgets.basics import GRID, Card, FieldList, Hint, Pill, Scroll, label, row
from studio.gui.widgets.style_parts import PartStack
from studio.gui.widgets.tables import Table, TableCard

if TYPE_CHECKING:
    from studio.features.apps.results import AppRun

_COLUMNS = ("Time", "Source", "Event", "Step", "Details")
_MOST = 200
_HINT = (
    "A test replays the recordings of the app, and compares its events with those that are "
    "known to happen."
)


class ResultView(PartStack):
    """The verdict of the latest test, with the events that are missing or extra."""

    def __init__(self, start: Callable[[], object]) -> None:
        self.hint = Hint("No test result yet", _HINT, "Test the app", start)
        self.pill = Pill("")
        self.verdict = label("", "title", wrap=True)
        self.fields = FieldList(name_width=14 * GRID)
        self.missing, self.extra = _table("Missing events"), _table("Extra events")
        self._cards = [
            TableCard("Missing", self.missing, note="Expected events that were not found."),
            TableCard("Extra", self.extra, note="Events that are not expected."),
        ]
        content = Scroll()
        card = Card()
        line = row(self.pill, self.verdict, spacing=GRID + 4)
        line.setStretch(1, 1)
        card.body.addLayout(line)
        card.body.addWidget(self.fields)
        content.body.addWidget(card)
        for one in self._cards:
            content.body.addWidget(one)
        content.body.addStretch(1)
        super().__init__(self.hint, content)

    def clear(self, title: str = "No test result yet", text: str = _HINT) -> None:
        """Show why nothing is shown yet."""
        self.hint.title.setText(title)
        self.hint.text.setText(text)
        self.hint.text.show()
        self.setCurrentIndex(0)

    def show_result(self, result: AppRun) -> None:
        """Show a result."""
        passed = bool(result.passed)
        self.pill.show_state("Passed" if passed else "Failed", "good" if passed else "bad")
        self.verdict.setText(verdict(result))
        latency = from_json(StageTime, result.latency_ms)
        p50, p95 = figures.milliseconds(latency.p50), figures.milliseconds(latency.p95)
        fields = [
            ("F1 of the events", figures.ratio(result.f1, 3)),
            ("Replayed", f"{figures.count(result.frames, 'frame')} in "
             f"{figures.seconds(result.seconds)}"),
            ("End to end", f"{p50} ms p50, {p95} ms p95"),
        ]  # fmt: skip
        if result.failed:
            failed = f"{figures.count(result.failed, 'frame')}: {result.fault}"
            fields.append(("Failed", failed))
        self.fields.show_fields(fields)
        for table, card, events in zip(
            (self.missing, self.extra), self._cards, (result.missing, result.extra), strict=True
        ):
            table.show_rows([_row(event) for event in events or ()])
            table.fit_height(_MOST)
            card.setVisible(bool(events))
        self.setCurrentIndex(1)


def verdict(result: AppRun) -> str:
    """Return a test in one sentence."""
    found = f"{figures.whole(result.matched)} of {figures.whole(result.expected)} expected events"
    extra = len(result.extra or ())
    return f"{found} found, {figures.count(extra, 'extra event')}"


def _table(name: str) -> Table:
    return Table(_COLUMNS, (0,), (4,), name)


def _row(event: Event) -> Sequence[str]:
    facts = facts_of(event)
    at = figures.NOTHING if facts.at_s is None else f"{facts.at_s:.2f} s"
    texts = (one or figures.NOTHING for one in (facts.source, facts.kind, facts.step))
    return [at, *texts, details(event)]
