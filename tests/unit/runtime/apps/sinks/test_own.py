"""Python code of an app as a sink: what it is given, what it raises, and its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.runtime.apps.settings import AppError
from studio.runtime.apps.sinks.own import OwnSink, OwnSinkSettings
from tests.unit.runtime.apps.parts import Context, event

_CODE = """\
def deliver(events, state):
    if state["options"].get("fails"):
        raise OSError("the lamp is away")
    state.setdefault("came", []).extend(one["n"] for one in events)


def close(state):
    with open(state["options"]["out"], "w") as file:
        file.write(repr(state["came"]))
"""


def sink(folder: Path, code: str, **options: str) -> OwnSink:
    file = folder / "lamp.py"
    file.write_text(code)
    return OwnSink("lamp", OwnSinkSettings(str(file), options), Context())


def test_it_is_given_events_and_a_state_until_its_end(tmp_path: Path) -> None:
    one = sink(tmp_path, _CODE, out=str(tmp_path / "out"))
    one.deliver([event(1), event(2)])
    one.deliver([event(3)])
    one.close()
    assert (tmp_path / "out").read_text() == "[1, 2, 3]"


def test_what_it_raises_comes_through_for_another_try(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="the lamp is away"):
        sink(tmp_path, _CODE, fails="yes").deliver([event(1)])


def test_a_file_may_leave_out_the_end(tmp_path: Path) -> None:
    one = sink(tmp_path, "def deliver(events, state):\n    pass\n")
    one.deliver([event(1)])
    one.close()


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("deliver = 3\n", "sinks.lamp: its file has no function deliver."),
        ("1 / 0\n", "sinks.lamp: its file fails: ZeroDivisionError: division by zero"),
        ("def (\n", "sinks.lamp: its file fails: SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, code: str, reason: str) -> None:
    with pytest.raises(AppError) as error:
        sink(tmp_path, code)
    assert str(error.value).startswith(reason)
