"""Messages of boards: a good one is read, and nothing else is."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.monitoring.boards.message import (
    BAD_NAME,
    FOREIGN,
    MOST_BYTES,
    NO_JSON,
    OTHER_FORM,
    OUT_OF_RANGE,
    TOO_LONG,
    TOO_MANY,
    WRONG_TYPE,
    BadMessage,
    Heartbeat,
    read_heartbeat,
)
from tests.unit.monitoring.boards.boards import message, run


def read(found: Any, board: str = "cam-1") -> Heartbeat:
    """Read plain data as a message."""
    return read_heartbeat(board, json.dumps(found).encode())


def reason(content: bytes, board: str = "cam-1") -> str:
    """Return why a message is refused."""
    with pytest.raises(BadMessage) as refused:
        read_heartbeat(board, content)
    return refused.value.reason


def test_a_heartbeat_is_read() -> None:
    found = read(message())
    assert found.labels == {"site": "north"}
    assert found.facts == {"arch": "aarch64", "memory_mb": 100.0}
    assert found.runs[0].latency == ((5, 8),)


def test_unknown_fields_of_later_boards_are_passed_over() -> None:
    assert read(message(later={"a": [1]})).seq == 1


@pytest.mark.parametrize("board", ["", "-a", "a.b", "a/b", "a b", "ä", "a" * 65, "*", ">", "a\n"])
def test_a_name_is_one_level(board: str) -> None:
    assert reason(json.dumps(message(board)).encode(), board) == BAD_NAME


def test_another_boards_name_is_refused() -> None:
    assert reason(json.dumps(message("cam-2")).encode()) == FOREIGN


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", NO_JSON),
        (b"\xff\xfe", NO_JSON),
        (b"[]", NO_JSON),
        (b"1", NO_JSON),
        (b"{" * 50_000, NO_JSON),
        (b"[" * 60_000, NO_JSON),
        (b'{"form": NaN}', NO_JSON),
        (b"{}", OTHER_FORM),
        (b'{"form": true}', OTHER_FORM),
        (b'{"form": 2}', OTHER_FORM),
        (b" " * (MOST_BYTES + 1), TOO_LONG),
    ],
)
def test_what_is_no_message_is_refused(content: bytes, why: str) -> None:
    assert reason(content) == why


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"seq": "1"}, WRONG_TYPE),
    ({"seq": True}, WRONG_TYPE),
    ({"seq": 1.0}, WRONG_TYPE),
    ({"seq": 0}, OUT_OF_RANGE),
    ({"seq": 1 << 53}, OUT_OF_RANGE),
    ({"start": -1}, OUT_OF_RANGE),
    ({"boot": "x" * 16}, OUT_OF_RANGE),
    ({"boot": None}, WRONG_TYPE),
    ({"at": -1}, OUT_OF_RANGE),
    ({"at": 1e300}, OUT_OF_RANGE),
    ({"every_s": 0}, OUT_OF_RANGE),
    ({"every_s": 1e9}, OUT_OF_RANGE),
    ({"ready": 1}, WRONG_TYPE),
    ({"model": "a\x1b[2J"}, OUT_OF_RANGE),
    ({"model": "a" * 65}, OUT_OF_RANGE),
    ({"labels": []}, WRONG_TYPE),
    ({"labels": {"A B": "x"}}, BAD_NAME),
    ({"labels": {"site": 1}}, WRONG_TYPE),
    ({"labels": {"site": "\u202e"}}, OUT_OF_RANGE),
    ({"labels": {f"l{n}": "x" for n in range(17)}}, TOO_MANY),
    ({"facts": {"a": {}}}, WRONG_TYPE),
    ({"facts": {"a": True}}, WRONG_TYPE),
    ({"facts": {"a": 1e300}}, WRONG_TYPE),
    ({"facts": {"": 1}}, BAD_NAME),
    ({"drift": 1}, WRONG_TYPE),
    ({"drift": {}}, WRONG_TYPE),
    ({"alerts": ["Bad One"]}, BAD_NAME),
    ({"alerts": [1]}, BAD_NAME),
    ({"alerts": ["a"] * 17}, TOO_MANY),
    ({"runs": {}}, WRONG_TYPE),
    ({"runs": [1]}, WRONG_TYPE),
    ({"runs": [run("2" * 16, 1, 1)] * 2}, TOO_MANY),
    ({"runs": [run(f"{n:016x}", 1, 1) for n in range(65)]}, TOO_MANY),
    ({"runs": [run("2" * 16, 0, 1)]}, OUT_OF_RANGE),
    ({"runs": [run("2" * 16, 1, -1)]}, OUT_OF_RANGE),
    ({"runs": [run("2" * 16, 1, 1, 2)]}, OUT_OF_RANGE),
    ({"runs": [run("2" * 16, 1, 1, 0, [[5, 2]])]}, OUT_OF_RANGE),
    ({"runs": [run("2" * 16, 1, 9, 0, [[5, 1], [5, 1]])]}, OUT_OF_RANGE),
    ({"runs": [run("2" * 16, 1, 9, 0, [[6, 1], [5, 1]])]}, OUT_OF_RANGE),
    ({"runs": [run("2" * 16, 1, 9, 0, [[350, 1]])]}, OUT_OF_RANGE),
    ({"runs": [run("2" * 16, 1, 9, 0, [[-1, 1]])]}, OUT_OF_RANGE),
    ({"runs": [run("2" * 16, 1, 9, 0, [[1, 0]])]}, OUT_OF_RANGE),
    ({"runs": [run("2" * 16, 1, 9, 0, [[1]])]}, WRONG_TYPE),
    ({"runs": [run("2" * 16, 1, 9, 0, [[True, 1]])]}, WRONG_TYPE),
    ({"runs": [{**run("2" * 16, 1, 9), "latency": [5]}]}, WRONG_TYPE),
]


@pytest.mark.parametrize(("changes", "why"), HOSTILE)
def test_a_field_of_another_form_is_refused(changes: dict[str, Any], why: str) -> None:
    assert reason(json.dumps(message(**changes)).encode()) == why


@pytest.mark.parametrize("name", [name for name in message() if name not in ("form", "board")])
def test_a_missing_field_is_refused(name: str) -> None:
    found = message()
    del found[name]
    if name == "drift":
        assert read(found).drift is None
    else:
        assert reason(json.dumps(found).encode()) == WRONG_TYPE


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)


@given(name=st.sampled_from(list(message())), value=json_values)
def test_no_value_of_a_field_is_an_error_of_another_kind(name: str, value: object) -> None:
    with suppress(BadMessage):
        assert read(message(**{name: value})).board == "cam-1"


@given(content=st.binary(max_size=300))
def test_no_bytes_are_an_error_of_another_kind(content: bytes) -> None:
    assert reason(content) in (NO_JSON, OTHER_FORM)
