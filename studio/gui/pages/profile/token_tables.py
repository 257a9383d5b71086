"""Tables of language models on the Profile page: figures by streams, memory by context."""

from __future__ import annotations

from collections.abc import Iterator

from studio.gui import figures
from studio.gui.pages.profile import modes, rows
from studio.gui.widgets.tables import Table, TableCard
from studio.gui.widgets.two_columns import TwoColumns
from studio.profiling.results import ProfileResult

STREAMS = ("Variant", "Streams", "First ms", "Prefill tokens/s", "Token ms", "Tokens/s")
MEMORY = ("Variant", "Context", "Predicted MiB", "Measured MiB", "Error")
_MOST_ROWS = 12


class TokenTables(TwoColumns):
    """Both tables, with a row for each setting of each run.

    Attributes:
        streams: The table of the figures by streams.
        memory: The table of the memory by context.
    """

    def __init__(self) -> None:
        self.streams = Table(STREAMS, range(1, 6), stretch=0, name="Figures by streams")
        self.memory = Table(MEMORY, range(1, 5), stretch=0, name="Memory by context")
        by_streams, by_context = (
            TableCard("By streams", self.streams),
            TableCard("Memory by context", self.memory),
        )
        super().__init__(by_streams, by_context, (6, 5))

    def show_result(self, result: ProfileResult) -> None:
        """Show the settings and the memory of all runs."""
        for table, found in ((self.streams, _streams(result)), (self.memory, _memory(result))):
            table.show_rows(list(found))
            table.fit_columns()
            table.fit_height(_MOST_ROWS)


def _streams(result: ProfileResult) -> Iterator[list[str]]:
    names = rows.chart_names(result)
    for run in result.runs:
        for one in run.tokens.settings if run.tokens else ():
            yield [
                names[run.id],
                str(one.streams),
                figures.milliseconds(one.first_ms.p50),
                modes.amount(one.prefill_per_second),
                figures.milliseconds(one.token_ms.p50),
                modes.amount(one.per_second),
            ]


def _memory(result: ProfileResult) -> Iterator[list[str]]:
    names = rows.chart_names(result)
    for run in result.runs:
        for one in run.tokens.memory if run.tokens else ():
            streams = f" × {one.streams}" if one.streams > 1 else ""
            yield [
                names[run.id],
                f"{one.context:,}{streams}",
                modes.amount(one.predicted_mb),
                modes.amount(one.measured_mb),
                figures.NOTHING if one.error is None else f"{100 * one.error:+.1f} %",
            ]
