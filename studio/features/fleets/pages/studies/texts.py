"""Sentences of a study over boards, for the window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from studio.gui import figures
from studio.gui.pages.profile.rows import TONES
from studio.gui.pages.profile.verdict import Headline
from studio.profiling.boards.results import (
    FAILED,
    INCOMPLETE,
    MEASURED,
    MEASURING,
    RESERVED,
    OverallVerdict,
    StudyResult,
    StudyRow,
)

TITLE = "Boards"
SEVERAL = "Measure on several boards"
EMPTY_TITLE = "No study yet"
EMPTY = (
    "Choose boards, or a group or label that chooses them. Each gets a row here with its verdict, "
    "and the last row is the mean of all boards."
)
FEW_TITLE = "Studies need two boards"
FEW = "Add your boards as targets. One study then compares the variants on all of them."
KEEPS = "Cancel keeps the boards that are measured: the study can be continued."
RESERVES = "Each board is reserved while it is measured, then given back."
TOO_FEW = "Choose at least two boards."
LANGUAGE = "Language models are profiled on this computer, not on boards."
RUNNING = "A study is running. Cancel it to start another one."
NO_MODEL = "Open a model first."
NOTHING_TO_EXPORT = "No study to export yet."
COPIED = "{} copied."
SAVED = "Study saved to {}."
CONTINUE = "Continue the study"
MISSING = "Measure missing boards"
EARLIER = "Studies on boards"
EARLIER_NOTE = "Select one to show its table."
STOPPED = "The study was stopped."

WAITING = "waiting"
LOST = "lost"
CUT_SHORT = "cut short"
NOT_MEASURED = "not measured"

_STATES = {FAILED: LOST, INCOMPLETE: CUT_SHORT}
_STATE_TONES = {
    MEASURING: "accent",
    MEASURED: "good",
    CUT_SHORT: "warning",
    RESERVED: "warning",
    LOST: "bad",
}
_MIXED = "differs"
_NAMED = 3
"""Names of boards in a sentence; the others are counted."""


def state_of(row: StudyRow) -> tuple[str, str]:
    """Return the word for a board's state, and its tone."""
    word = _STATES.get(row.state, row.state)
    return word, _STATE_TONES.get(word, "")


def verdict_word(verdict: str) -> tuple[str, str]:
    """Return the word for a stored verdict, and its tone."""
    word = {"undecided": "inconclusive", "mixed": _MIXED}.get(verdict, verdict)
    return word, "warning" if word == _MIXED else TONES.get(word, "")


def lost(row: StudyRow) -> str:
    """Return why a board has no complete row, as a sentence."""
    text = row.reason.strip() or "The reason is not known"
    return text if text.endswith((".", "!", "?")) else f"{text}."


def progress(rows: Sequence[StudyRow], boards: int) -> str:
    """Return how many boards are done: ``3 of 8 boards measured, 1 lost``."""
    done = sum(row.state == MEASURED for row in rows)
    bad = sum(row.state in (FAILED, INCOMPLETE, RESERVED) for row in rows)
    text = f"{done} of {figures.count(boards, 'board')} measured"
    return f"{text}, {bad} lost" if bad else text


def plan(boards: int, seconds: float) -> str:
    """Return what the empty view is for, and how long a study takes."""
    if boards < 2:
        return EMPTY
    return f"{EMPTY} {figures.count(boards, 'board')} take about {figures.seconds(seconds)}."


def unmeasured(rows: Sequence[StudyRow]) -> str:
    """Return how many boards a continued study measures."""
    count = sum(row.state != MEASURED for row in rows)
    verb = "was" if count == 1 else "were"
    return f"{figures.count(count, 'board')} {verb} not measured to the end. The others are kept."


def headline(result: StudyResult, names: Mapping[str, str]) -> Headline:
    """Return the verdict over all boards: that of the fastest variant, the others below it."""
    known = [one for one in result.overall if one.ratio is not None]
    shown = min(known, key=lambda one: one.ratio or 1.0, default=next(iter(result.overall), None))
    detail = " ".join(_details(result, shown, names))
    if shown is None:
        measured = sum(row.state == MEASURED for row in result.boards)
        sentence = f"{figures.count(measured, 'board')} measured, without a comparison."
        return Headline(MEASURED, "", sentence, detail)
    word, tone = verdict_word(shown.verdict)
    return Headline(word, tone, f"{_sentence(shown, names)}.", detail)


def _details(
    result: StudyResult, shown: OverallVerdict | None, names: Mapping[str, str]
) -> Iterator[str]:
    for one in result.overall:
        if one is not shown:
            yield f"{_sentence(one, names)}."
    if shown is not None and shown.next_low is not None and shown.next_high is not None:
        yield (
            f"On another such board the time ratio is probably "
            f"{shown.next_low:.2f} to {shown.next_high:.2f}."
        )
    missing = [row for row in result.boards if row.state != MEASURED]
    if missing:
        yield f"{len(missing)} of {figures.count(len(result.boards), 'board')} not measured fully."


def _sentence(one: OverallVerdict, names: Mapping[str, str]) -> str:
    a, b = names.get(one.a, one.a), names.get(one.b, one.b)
    over = f"over {figures.count(one.boards, 'board')}"
    if one.ratio is None or one.low is None or one.high is None:
        return f"{b} against {a}: {_where(one) or 'inconclusive'}. A mean needs two boards"
    if one.verdict == "faster":
        return f"{b} is {1 / one.ratio:.2f}× faster than {a} {over}{_interval(one, over=True)}"
    mean = f"mean time ratio {one.ratio:.2f}{_interval(one)}"
    if one.verdict == "slower":
        return f"{b} is slower than {a} {over}: {mean}"
    if one.verdict == "equal":
        return f"{b} and {a} are equally fast within {one.margin:.1%} {over}: {mean}"
    if one.verdict == "mixed":
        return f"{b} against {a} differs between boards: {_where(one)}; {mean}"
    return f"{b} against {a} is inconclusive {over}: {mean}"


def _where(one: OverallVerdict) -> str:
    parts = [("slower", one.slower_on), ("faster", one.faster_on)]
    return ", ".join(f"{word} on {_listed(names)}" for word, names in parts if names)


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join([*names[:_NAMED], *([f"{more} more"] if more > 0 else [])])


def _interval(one: OverallVerdict, *, over: bool = False) -> str:
    if one.low is None or one.high is None:
        return ""
    low, high = (1 / one.high, 1 / one.low) if over else (one.low, one.high)
    decimals = 3 if high - low < figures.NARROW else 2
    return f" ({100 * one.confidence:.3g} % CI {low:.{decimals}f} to {high:.{decimals}f})"
