"""Own steps: a function of the app, its state, and its faults."""

from __future__ import annotations

import importlib.util
import py_compile
from pathlib import Path

import pytest

from studio.runtime.apps.items import FrameStamp
from studio.runtime.apps.settings import AppError
from studio.runtime.apps.steps.own import Own, OwnSettings
from tests.unit.runtime.apps.parts import Context

STAMP = FrameStamp("door", 7, 0.7, 0.7, 0.0)


def own(folder: Path, code: str, **settings: str) -> Own:
    path = folder / "step.py"
    path.write_text(code)
    return Own("mine", OwnSettings(str(path), **settings), Context())


def test_a_function_gives_values_and_events(tmp_path: Path) -> None:
    step = own(
        tmp_path,
        "def process(stamp, value, state):\n"
        "    state['count'] = state.get('count', 0) + value['n']\n"
        "    return {'count': state['count']}, [{'kind': 'seen', 'n': stamp.number}]\n",
        gives="values",
    )
    step.process(STAMP, {"n": 2})
    found = step.process(STAMP, {"n": 3})
    assert found.value == {"count": 5}
    assert [(one.kind, one.step, one.details) for one in found.events] == [
        ("seen", "mine", {"n": 7})
    ]


@pytest.mark.parametrize(("answer", "events"), [("None", 0), ("[{'kind': 'a'}]", 1), ("[]", 0)])
def test_a_function_may_give_less(tmp_path: Path, answer: str, events: int) -> None:
    step = own(tmp_path, f"def process(stamp, value, state):\n    return {answer}\n")
    assert len(step.process(STAMP, {}).events) == events


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import nowhere_at_all\n", "its file fails: ModuleNotFoundError"),
        ("process = 3\n", "has no function process"),
        ("def process(:\n", "its file fails: SyntaxError"),
        ("raise SystemError('no')\n", "its file fails: SystemError: no"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_sentence(tmp_path: Path, code: str, words: str) -> None:
    with pytest.raises(AppError, match=words):
        own(tmp_path, code)


def test_events_without_a_kind_are_a_fault_of_the_step(tmp_path: Path) -> None:
    step = own(tmp_path, "def process(stamp, value, state):\n    return [{'name': 'a'}]\n")
    with pytest.raises(TypeError, match="a dictionary with a kind"):
        step.process(STAMP, {})


def test_values_have_a_kind_that_is_known(tmp_path: Path) -> None:
    with pytest.raises(AppError, match="gives is one of pictures"):
        own(tmp_path, "def process(*given): pass\n", gives="numbers")


def test_a_compiled_file_is_neither_left_nor_read(tmp_path: Path) -> None:
    step = own(tmp_path, "def process(stamp, value, state):\n    return [{'kind': 'signed'}]\n")
    assert [one.name for one in tmp_path.iterdir()] == ["step.py"]
    other = tmp_path / "other.py"
    other.write_text("def process(stamp, value, state):\n    return [{'kind': 'planted'}]\n")
    planted = Path(importlib.util.cache_from_source(str(tmp_path / "step.py")))
    py_compile.compile(
        str(other), str(planted), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH
    )
    step = Own("mine", OwnSettings(str(tmp_path / "step.py")), Context())
    assert [one.kind for one in step.process(STAMP, {}).events] == ["signed"]
