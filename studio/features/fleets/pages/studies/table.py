"""The one table of a study: a row for each board and variant, then the mean over all boards."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from studio.documents.plain import spreadsheet_cell
from studio.features.fleets.pages.studies import texts
from studio.gui import figures
from studio.gui.pages.shared.target_rows import named
from studio.lazy_dataclass import dataclass
from studio.profiling.boards.results import (
    MEASURED,
    BoardFigure,
    BoardVerdict,
    OverallVerdict,
    StudyResult,
    StudyRow,
)

COLUMNS = ("Board", "Chip", "Variant", "Baseline ms", "Candidate ms", "Time ratio", "Verdict")
NUMERIC = (3, 4, 5)
CHIP, VARIANT, BASELINE, CANDIDATE, RATIO = range(1, 6)
MEAN = "All boards (mean)"

_CSV = (
    *("board", "state", "reason", "arch", "chip", "baseline", "candidate"),
    *("baseline_p50_ms", "baseline_low_ms", "baseline_high_ms"),
    *("candidate_p50_ms", "candidate_low_ms", "candidate_high_ms"),
    *("ratio", "ratio_low", "ratio_high", "confidence", "verdict", "run"),
)


@dataclass(frozen=True, slots=True)
class StudyLine:
    """A line of the table.

    Attributes:
        texts: The cells before the pill.
        state, tone: The word of the pill.
        tip: Why a board has no figures, or its confidence.
        target: The board; empty for the mean.
        run: Number of the board's profile.
    """

    texts: tuple[str, ...]
    state: str
    tone: str
    tip: str = ""
    target: str = ""
    run: int | None = None


def short_names(result: StudyResult) -> dict[str, str]:
    """Return the labels of the variants without the model's name."""
    labels = dict.fromkeys(one.id for row in result.boards for one in row.figures)
    labels.update(dict.fromkeys(end for one in result.overall for end in (one.a, one.b)))
    return {label: label.partition(":")[2] or label for label in labels}


def candidates(result: StudyResult) -> list[str]:
    """Return the labels of all variants but the baseline."""
    labels = dict.fromkeys(one.id for row in result.boards for one in row.figures)
    return [label for label in labels if label != _reference(result)]


def lines(result: StudyResult, *, running: bool = False) -> list[StudyLine]:
    """Return the rows of a study; one that runs has no verdicts yet."""
    names = short_names(result)
    found = [
        line
        for row in result.boards
        for line in _board_lines(row, candidates(result), _reference(result), names, running)
    ]
    return [*found, *(_mean_line(one, names) for one in result.overall)]


def _reference(result: StudyResult) -> str:
    """Return the baseline; the first variant as long as a study runs."""
    first = (one.id for row in result.boards for one in row.figures)
    return result.reference or next(first, "")


def _board_lines(
    row: StudyRow,
    others: Sequence[str],
    reference: str,
    names: Mapping[str, str],
    running: bool,
) -> Iterator[StudyLine]:
    measured = {one.id: one for one in row.figures}
    verdicts = {one.b: one for one in row.verdicts}
    wanted = [label for label in others if label in measured] or [""]
    for label in wanted:
        verdict = verdicts.get(label)
        state, tone = texts.state_of(row)
        if verdict is not None and row.state == MEASURED and not running:
            state, tone = texts.verdict_word(verdict.verdict)
        yield StudyLine(
            (
                named(row.target),
                row.chip or figures.NOTHING,
                names.get(label, label) or figures.NOTHING,
                _median(measured.get(reference)),
                _median(measured.get(label)),
                _ratio(verdict),
            ),
            state,
            tone,
            texts.lost(row) if row.reason else "",
            row.target,
            row.run,
        )


def _mean_line(one: OverallVerdict, names: Mapping[str, str]) -> StudyLine:
    word, tone = texts.verdict_word(one.verdict)
    return StudyLine(
        (
            MEAN,
            figures.count(one.boards, "board"),
            names.get(one.b, one.b),
            "",
            "",
            figures.ratio_with_interval(one.ratio, one.low, one.high),
        ),
        word,
        tone,
    )


def _median(figure: BoardFigure | None) -> str:
    """Return a median with its interval: ``12.1 [12.0–12.3]``; its state where it is unknown."""
    if figure is None:
        return figures.NOTHING
    if figure.p50_ms is None:
        return figure.state or figures.NOTHING
    text = figures.milliseconds(figure.p50_ms)
    if figure.low is None or figure.high is None:
        return text
    return f"{text} [{figures.milliseconds(figure.low)}–{figures.milliseconds(figure.high)}]"


def _ratio(verdict: BoardVerdict | None) -> str:
    if verdict is None:
        return figures.NOTHING
    return figures.ratio_with_interval(verdict.ratio, verdict.low, verdict.high)


def as_csv(result: StudyResult) -> str:
    """Return the table as CSV with all digits: boards, then the means; times in milliseconds."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_CSV)
    for cells in _csv_rows(result):
        writer.writerow([spreadsheet_cell(cell) for cell in cells])
    return text.getvalue()


def _csv_rows(result: StudyResult) -> Iterator[Sequence[object]]:
    reference = _reference(result)
    for row in result.boards:
        measured = {one.id: one for one in row.figures}
        verdicts = {one.b: one for one in row.verdicts}
        head = (row.target, row.state, row.reason, row.arch, row.chip, reference)
        for label in [one for one in candidates(result) if one in measured] or [""]:
            pair = (*_digits(measured.get(reference)), *_digits(measured.get(label)))
            yield (*head, label, *pair, *_verdict_digits(verdicts.get(label)), row.run)
    for one in result.overall:
        mean = (one.ratio, one.low, one.high, one.confidence, one.verdict)
        yield (MEAN, "", "", "", "", one.a, one.b, *[""] * 6, *mean, "")


def _digits(figure: BoardFigure | None) -> tuple[float | None, ...]:
    return (None, None, None) if figure is None else (figure.p50_ms, figure.low, figure.high)


def _verdict_digits(one: BoardVerdict | None) -> tuple[object, ...]:
    if one is None:
        return ("",) * 5
    return one.ratio, one.low, one.high, one.confidence, one.verdict
