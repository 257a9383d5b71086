"""What is held back, by whom and until when; and that channels hear of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.api import StudioError
from studio.monitoring.alerts.channels import Notice
from studio.monitoring.alerts.dispatch import Dispatcher
from studio.monitoring.alerts.silences import ALL, HOUR_S, LONGEST_S, Silences
from studio.monitoring.results import Alert, TargetSample


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


def sample(*names: str, target: str = "nano") -> TargetSample:
    return TargetSample(target, alerts=tuple(Alert(name, "warning", name) for name in names))


def test_a_silence_ends_by_itself_and_the_record_stays(tmp_path: Path) -> None:
    clock = Clock()
    holds = Silences(tmp_path / "deep" / "holds.jsonl", clock)
    holds.silence("nano", "drift", HOUR_S, "the lamp is being changed")
    assert holds.holding("nano", "drift") is not None
    assert holds.holding("nano", "latency") is None
    assert holds.holding("pi", "drift") is None
    (hold,) = Silences(tmp_path / "deep" / "holds.jsonl", clock).current()
    assert hold.text.startswith("drift of nano is silent until ")
    assert hold.text.endswith("(the lamp is being changed).")
    clock.now += HOUR_S + 1
    assert holds.holding("nano", "drift") is None
    (line,) = (tmp_path / "deep" / "holds.jsonl").read_text().splitlines()
    assert json.loads(line)["until"] == 1e9 + HOUR_S


def test_all_of_a_target_and_all_targets() -> None:
    holds = Silences(None, Clock())
    holds.silence("nano", ALL, 60)
    assert holds.holding("nano", "errors")
    assert not holds.holding("pi", "errors")
    holds.silence(ALL, "errors", 60)
    assert holds.holding("pi", "errors")
    holds.end("nano", ALL)
    assert not holds.holding("nano", "drift")


def test_a_clock_that_jumps_back_makes_no_silence_last() -> None:
    clock = Clock()
    holds = Silences(None, clock)
    holds.silence("nano", ALL, 10 * LONGEST_S)
    clock.now -= 365 * 24 * HOUR_S
    assert holds.current() == []


def test_what_another_process_writes_is_seen_and_a_torn_line_is_no_harm(tmp_path: Path) -> None:
    path, clock = tmp_path / "holds.jsonl", Clock()
    mine, other = Silences(path, clock), Silences(path, clock)
    assert mine.current() == []
    other.silence("nano", "drift", 60)
    mine._read_at = -1e9  # half a second later
    assert len(mine.current()) == 1
    with path.open("a") as file:
        file.write('{"target": "pi", "al\n[1]\n{"kind": 3}\n')
    assert len(Silences(path, clock).current()) == 1


def told(holds: Silences, *looks: tuple[str, ...]) -> tuple[Dispatcher, list[tuple[str, str]]]:
    sent: list[Notice] = []
    made = Dispatcher({"a": (("warning",), sent.append)}, lambda *_: None, holds=holds)
    for names in looks:
        made.dispatch(sample(*names))
    made.close()
    return made, [(one.name, one.state) for one in sent]


def test_channels_hear_nothing_of_what_is_silent() -> None:
    holds = Silences(None, Clock())
    holds.silence("nano", "drift", 60)
    _, sent = told(holds, ("drift", "latency"), ("drift",), ())
    assert sent == [("latency", "firing"), ("latency", "resolved")]


def test_an_alert_that_outlasts_its_silence_is_told_then() -> None:
    clock, said = Clock(), []
    holds = Silences(None, clock)
    holds.silence("nano", ALL, 60)
    sent: list[Notice] = []
    made = Dispatcher(
        {"a": (("warning",), sent.append)}, lambda *_: None, holds=holds, held=said.append
    )
    for _ in range(3):
        made.dispatch(sample("drift"))
    assert len(said) == 1
    assert said[0].startswith("drift of nano is silenced: all alerts of nano are silent until")
    clock.now += 61
    made.dispatch(sample("drift"))
    made.close()
    assert [one.state for one in sent] == ["firing"]


def test_the_end_of_what_was_told_is_told_also_in_a_silence() -> None:
    holds = Silences(None, Clock())
    sent: list[Notice] = []
    made = Dispatcher({"a": (("warning",), sent.append)}, lambda *_: None, holds=holds)
    made.dispatch(sample("drift"))
    holds.silence("nano", "drift", 60)
    made.dispatch(sample())
    made.close()
    assert [one.state for one in sent] == ["firing", "resolved"]


def test_what_was_seen_is_not_told_again_until_it_begins_anew() -> None:
    holds = Silences(None, Clock())
    holds.acknowledge("nano", "drift")
    _, sent = told(holds, ("drift",), ("drift",))  # a watch that is started again
    assert sent == []
    _, sent = told(holds, ("drift",), (), ("drift",))
    assert sent == [("drift", "firing")]


def test_what_cannot_be_written_is_said_and_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    holds = Silences(tmp_path / "file" / "holds.jsonl", Clock())
    with pytest.raises(StudioError, match=r"Cannot write .*No alert was silenced"):
        holds.silence("nano", "drift", 60)
    assert holds.current() == []
    holds.over("nano", "drift")
