"""Lines for people about the state of many boards."""

from __future__ import annotations

from collections.abc import Mapping

from studio.documents.text_table import table
from studio.monitoring.boards.results import BoardRow, BoardsResult, GroupFigures

_SKEW_S = 300.0
_GROUP_HEAD = ("group", "boards", "states", "drift", "requests", "failed", "p50 ms", "p99 ms")
_BOARD_HEAD = ("board", "state", "model", "version", "requests", "failed", "p99 ms", "notes")


def lines(result: BoardsResult) -> list[str]:
    """Return the groups, some boards, and what was refused."""
    found = [_summary(result)]
    if result.groups:
        found += ["", *table(_GROUP_HEAD, [_group(one) for one in result.groups])]
    if result.boards:
        found += ["", *table(_BOARD_HEAD, [_board(one) for one in result.boards])]
    more = result.selected.boards - len(result.boards)
    if result.boards and more > 0:
        found.append(f"{more:,} more; --boards N lists more of them.")
    if result.refused:
        parts = ", ".join(f"{count:,} {reason}" for reason, count in result.refused.items())
        found += ["", f"Refused messages: {parts}."]
        found += [f"  {board}: {reason}" for board, reason in result.refused_boards.items()]
    if not result.caught_up:
        found.append("The broker has more than was read; --seconds N waits longer.")
    return found


def _summary(result: BoardsResult) -> str:
    if not result.known:
        return f"No board has published its state to {result.source}."
    selected = result.selected
    of = f" of {result.known:,}" if selected.boards != result.known else ""
    noun = "board" if result.known == 1 else "boards"
    return f"{selected.boards:,}{of} {noun}: {_states(selected.states)}"


def _states(states: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in states.items()) or "none"


def _group(one: GroupFigures) -> tuple[str, ...]:
    return (
        one.group[:16],
        f"{one.boards:,}",
        _states(one.states),
        f"{one.drifting:,}",
        f"{one.requests:,}",
        _share(one.error_rate),
        _ms(one.latency_ms, "p50"),
        _ms(one.latency_ms, "p99"),
    )


def _board(one: BoardRow) -> tuple[str, ...]:
    notes = list(one.alerts)
    if abs(one.clock_s) > _SKEW_S:
        notes.append(f"clock {one.clock_s:+,.0f} s")
    return (
        one.name,
        one.state,
        one.model,
        one.version,
        f"{one.requests:,}",
        _share(one.error_rate),
        _ms(one.latency_ms, "p99"),
        ", ".join(notes),
    )


def _share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f} %"


def _ms(latency: Mapping[str, float], name: str) -> str:
    return f"{latency[name]:.2f}" if name in latency else ""
