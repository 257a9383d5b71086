"""The table of a study and its sentences, for people."""

from __future__ import annotations

from studio.documents.text_table import table
from studio.profiling.boards.results import BoardFigure, BoardVerdict, StudyResult, StudyRow

_CHIP = 28
"""Letters of a chip's name in the table."""


def study(result: StudyResult) -> list[str]:
    """Return a row for each board, the verdicts over all boards, and the notes."""
    labels = list(dict.fromkeys(one.id for row in result.boards for one in row.figures))
    head = ("board", "arch", "chip", *(f"{label} ms" for label in labels))
    rows = [
        (row.target, row.arch or "-", _short(row.chip) or "-", *_cells(row, labels))
        for row in result.boards
    ]
    return [
        *table(head, rows),
        *(f"{row.target}: {row.state}: {row.reason}" for row in result.boards if row.reason),
        *(one.text for one in result.overall),
        *result.notes,
        f"Study {result.study}",
    ]


def _short(chip: str) -> str:
    return chip if len(chip) <= _CHIP else chip[: _CHIP - 1] + "\u2026"


def _cells(row: StudyRow, labels: list[str]) -> list[str]:
    figures = {one.id: one for one in row.figures}
    verdicts = {one.b: one for one in row.verdicts}
    return [_cell(row, figures.get(label), verdicts.get(label)) for label in labels]


def _cell(row: StudyRow, figure: BoardFigure | None, verdict: BoardVerdict | None) -> str:
    """Return the median with its interval, and the ratio with its interval and verdict."""
    if figure is None:
        return row.state
    if figure.p50_ms is None:
        return figure.state or "-"
    text = f"{figure.p50_ms:.3f}{_interval(figure.low, figure.high)}"
    if verdict is None or verdict.ratio is None:
        return text
    return f"{text} x{verdict.ratio:.3f}{_interval(verdict.low, verdict.high)} {verdict.verdict}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" ({low:.3f}-{high:.3f})"
