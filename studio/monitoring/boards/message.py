"""Heartbeats of boards as they arrive: read with suspicion, refused by a reason that is counted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from studio.lazy_dataclass import dataclass

FORM = 1
MOST_BYTES = 64 * 1024
BUCKETS = 350
"""Of the latency histogram of the server: up to 10 microseconds, then steps of 5 %."""

BOARD_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
_LABEL = re.compile(r"[a-z][a-z0-9_.-]{0,31}", re.ASCII)
_WORD = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_HEX = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
_MOST_LABELS, _MOST_ALERTS, _MOST_RUNS, _MOST_FACTS = 16, 16, 64, 32
_TEXT = 64
_COUNT = 1 << 53

TOO_LONG, NO_JSON, OTHER_FORM = "too long", "not JSON", "another form"
BAD_NAME, FOREIGN = "bad name", "name of another board"
WRONG_TYPE, OUT_OF_RANGE, TOO_MANY = "wrong type", "out of range", "too many parts"


class BadMessage(Exception):
    """Refusal of a message, by a reason of few kinds."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class RunTotals:
    """Counts of one run: a release loaded once by one process of a board.

    Attributes:
        seq: Grows with each look at the run, and so do all counts.
        errors: Requests that the server failed, the rejected ones among them.
        latency: Pairs of a bucket and its count, ascending.
    """

    run: str
    seq: int
    model: str
    version: str
    release: str
    requests: int
    errors: int
    rejected: int
    latency: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A message of a board, checked.

    Attributes:
        series: Of the numbers of starts; another one begins where the board lost its files.
        start: Number of the server process in its series.
        seq: Number of the message in its process.
        at: The board's clock, which is shown and never trusted.
        counter: Release counter.
        facts: Plain values of the board.
        drift: Whether its drift alarm is on; None where drift is not watched.
        dropped: Runs that the board gave up unsent.
    """

    board: str
    series: str
    start: int
    boot: str
    seq: int
    at: float
    every_s: float
    uptime_s: float
    labels: Mapping[str, str]
    ready: bool
    model: str
    version: str
    release: str
    counter: int
    facts: Mapping[str, str | float]
    drift: bool | None
    alerts: tuple[str, ...]
    runs: tuple[RunTotals, ...]
    dropped: int


def read_heartbeat(board: str, content: bytes) -> Heartbeat:
    """Check a message.

    Args:
        board: The name that the broker knows it by.

    Raises:
        BadMessage: with the reason, for anything that a board does not send.
    """
    if not BOARD_NAME.fullmatch(board):
        raise BadMessage(BAD_NAME)
    if len(content) > MOST_BYTES:
        raise BadMessage(TOO_LONG)
    try:
        found = json.loads(content.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise BadMessage(NO_JSON) from None
    if not isinstance(found, dict):
        raise BadMessage(NO_JSON)
    if found.get("form") != FORM or isinstance(found["form"], bool):
        raise BadMessage(OTHER_FORM)
    if found.get("board") != board:
        raise BadMessage(FOREIGN)
    return _heartbeat(_Fields(found), board)


def _heartbeat(of: _Fields, board: str) -> Heartbeat:
    drift = of.value("drift", (dict, type(None)))
    return Heartbeat(
        board=board,
        series=of.matched("series", _HEX),
        start=of.whole("start", least=1),
        boot=of.matched("boot", _HEX),
        seq=of.whole("seq", least=1),
        at=of.number("at", 0.0, 1e11),
        every_s=of.number("every_s", 0.5, 86_400.0),
        uptime_s=of.number("uptime_s", 0.0, 1e11),
        labels=_labels(of),
        ready=of.value("ready", (bool,)),
        model=of.text("model"),
        version=of.text("version"),
        release=of.text("release"),
        counter=of.whole("counter"),
        facts=_facts(of),
        drift=None if drift is None else _Fields(drift).value("alarm", (bool,)),
        alerts=_alerts(of),
        runs=_runs(of),
        dropped=of.whole("dropped"),
    )


class _Fields:
    """The fields of an object, each checked when it is taken."""

    def __init__(self, found: Any) -> None:
        if not isinstance(found, dict):
            raise BadMessage(WRONG_TYPE)
        self._found = found

    def value(self, name: str, types: tuple[type, ...]) -> Any:
        """Return a value of one of these types; a flag is no number."""
        value = self._found.get(name)
        if type(value) not in types:
            raise BadMessage(WRONG_TYPE)
        return value

    def whole(self, name: str, least: int = 0) -> int:
        """Return a whole number."""
        return _within(self.value(name, (int,)), least)

    def number(self, name: str, low: float, high: float) -> float:
        """Return a finite number."""
        value = self.value(name, (int, float))
        if not low <= value <= high:
            raise BadMessage(OUT_OF_RANGE)
        return float(value)

    def text(self, name: str) -> str:
        """Return a short text without control characters."""
        return _short(self.value(name, (str,)))

    def matched(self, name: str, pattern: re.Pattern[str]) -> str:
        """Return a text of a form."""
        text: str = self.value(name, (str,))
        if not pattern.fullmatch(text):
            raise BadMessage(OUT_OF_RANGE)
        return text

    def parts(self, name: str, kind: type, most: int) -> Any:
        """Return a list or an object with a bounded number of parts."""
        found = self.value(name, (kind,))
        if len(found) > most:
            raise BadMessage(TOO_MANY)
        return found


def _labels(of: _Fields) -> dict[str, str]:
    found = of.parts("labels", dict, _MOST_LABELS)
    if not all(_LABEL.fullmatch(name) for name in found):
        raise BadMessage(BAD_NAME)
    if not all(isinstance(value, str) for value in found.values()):
        raise BadMessage(WRONG_TYPE)
    return {name: _short(value) for name, value in found.items()}


def _facts(of: _Fields) -> dict[str, str | float]:
    facts: dict[str, str | float] = {}
    for name, value in of.parts("facts", dict, _MOST_FACTS).items():
        if not _LABEL.fullmatch(name):
            raise BadMessage(BAD_NAME)
        if value is None:
            continue
        if type(value) is str:
            facts[name] = _short(value)
        elif type(value) in (int, float) and abs(value) <= _COUNT:
            facts[name] = float(value)
        else:
            raise BadMessage(WRONG_TYPE)
    return facts


def _alerts(of: _Fields) -> tuple[str, ...]:
    found = of.parts("alerts", list, _MOST_ALERTS)
    if not all(isinstance(one, str) and _WORD.fullmatch(one) for one in found):
        raise BadMessage(BAD_NAME)
    return tuple(dict.fromkeys(found))


def _runs(of: _Fields) -> tuple[RunTotals, ...]:
    found = tuple(_run(_Fields(one)) for one in of.parts("runs", list, _MOST_RUNS))
    if len({one.run for one in found}) != len(found):
        raise BadMessage(TOO_MANY)
    return found


def _run(of: _Fields) -> RunTotals:
    one = RunTotals(
        run=of.matched("run", _HEX),
        seq=of.whole("seq", least=1),
        model=of.text("model"),
        version=of.text("version"),
        release=of.text("release"),
        requests=of.whole("requests"),
        errors=of.whole("errors"),
        rejected=of.whole("rejected"),
        latency=_latency(of.parts("latency", list, BUCKETS)),
    )
    if one.rejected > one.errors or one.errors > one.requests:
        raise BadMessage(OUT_OF_RANGE)
    if sum(count for _, count in one.latency) > one.requests:
        raise BadMessage(OUT_OF_RANGE)
    return one


def _latency(pairs: list[object]) -> tuple[tuple[int, int], ...]:
    found = []
    before = -1
    for pair in pairs:
        if type(pair) is not list or [type(one) for one in pair] != [int, int]:
            raise BadMessage(WRONG_TYPE)
        place, count = pair
        if not before < place < BUCKETS:
            raise BadMessage(OUT_OF_RANGE)
        before = place
        found.append((place, _within(count, 1)))
    return tuple(found)


def _within(value: int, least: int) -> int:
    if not least <= value < _COUNT:
        raise BadMessage(OUT_OF_RANGE)
    return value


def _short(text: str) -> str:
    if len(text) > _TEXT or not text.isprintable():
        raise BadMessage(OUT_OF_RANGE)
    return text


def _no_constant(text: str) -> float:
    """Refuse NaN and Infinity, which JSON does not have."""
    raise ValueError(text)


def lowest_of(bucket: int) -> tuple[float, float]:
    """Return the lower and the upper end of a bucket, in seconds."""
    first, growth = 10e-6, math.log(1.05)
    if bucket == 0:
        return 0.0, first
    return first * math.exp((bucket - 1) * growth), first * math.exp(bucket * growth)
