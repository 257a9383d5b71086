"""Files of another program that are dropped on the window: drag and drop between two processes."""

from __future__ import annotations

import itertools
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e import drag_source
from tests.e2e.conftest import Studio
from tests.e2e.person import MAIN, Person, names, place_of, released
from tests.e2e.person import person as person
from tests.e2e.person import screen as screen
from tests.e2e.screen import SIZE, wait_for

pytestmark = [pytest.mark.rig, pytest.mark.needs("Xvfb", "xdotool")]

_MIDDLE = (SIZE[0] // 2, SIZE[1] // 2)
_WINDOW = (0, 0, *SIZE)
_DIMMED = 0.4
"""The least share of the window that the overlay changes: all but the page's own background."""


@contextmanager
def files_to_drag(person: Person, *urls: str) -> Iterator[subprocess.Popen[str]]:
    """The window of another program over a corner of the person's screen."""
    wait_for(person.screen.is_drawn, "the window draws nothing")
    process = subprocess.Popen(
        [sys.executable, drag_source.__file__, *urls],
        env=person.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        wait_for(lambda: person.screen.has_window(drag_source.TITLE), "nothing to drag")
        yield process
    finally:
        process.kill()
        process.communicate()
        person.screen.focus(MAIN)


def drag_to_the_middle(person: Person, source: subprocess.Popen[str]) -> None:
    """Press the mouse on the files, and move it over the window; the overlay comes."""
    left, top, width, height = drag_source.PLACE
    start = (left + width // 2, top + height // 2)
    before = person.screen.settle(5.0)
    person.screen.press_button(*start)
    for part in range(1, 11):  # as a hand moves: the other program sees it leave
        person.screen.move(*(a + (b - a) * part // 10 for a, b in zip(start, _MIDDLE, strict=True)))
    near = itertools.cycle((0, 1))

    def is_covered() -> bool:
        # No hand is still. A slow program sees only the last of many moves, which begins its drag.
        person.screen.move(_MIDDLE[0] + next(near), _MIDDLE[1])
        return person.screen.changed_in(_WINDOW, before) > _DIMMED

    wait_for(is_covered, "no overlay is over the window")
    assert line_of(source).removeprefix("over ") == "CopyAction", "a drop is not welcome"


def line_of(source: subprocess.Popen[str]) -> str:
    """The next line of the other program; a move as the end of its drag would delete the file."""
    assert source.stdout is not None
    return source.stdout.readline().strip()


@pytest.mark.long
def test_a_dropped_model_is_served_by_one_click(
    person: Person, studio: Studio, digits: Path, tmp_path: Path
) -> None:
    """Dropped from another program; the project comes, and its button does the rest."""
    model = digits / "digits.onnx"
    place = place_of("Run it all", person, tmp_path, model, "project")
    with files_to_drag(person, model.as_uri()) as source:
        drag_to_the_middle(person, source)
        person.look("overlay")
        began = time.monotonic()
        person.screen.release_button()
        assert line_of(source) == "CopyAction"
        wait_for(lambda: names(person) == ["fp32"], "the dropped model was not opened")
    person.look("dropped")
    person.screen.click(*place)
    wait_for(released(person), "it was not deployed", seconds=300)
    print(f"served {time.monotonic() - began:.1f} s after the drop")
    assert studio.ok("call", "--requests", "5")["failed"] == 0
    assert person.leave() == ""


def test_a_folder_and_a_name_with_percent_and_space_are_dropped(
    person: Person, digits: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "my 100% model"
    folder.mkdir()
    (folder / "my digits 50%.onnx").write_bytes((digits / "digits.onnx").read_bytes())
    with files_to_drag(person, f"file://localhost{quote(str(folder))}") as source:
        drag_to_the_middle(person, source)
        person.screen.release_button()
        assert line_of(source) == "CopyAction"
        wait_for(lambda: names(person) == ["fp32"], "the model in the folder was not opened")
    person.look("folder")
    assert person.registry.models()[0].name == "my digits 50%"
    assert person.leave() == ""


def test_a_drop_without_a_model_opens_nothing(person: Person, tmp_path: Path) -> None:
    note = tmp_path / "notes.txt"
    note.write_text("No model.")
    with files_to_drag(person, note.as_uri()) as source:
        drag_to_the_middle(person, source)
        person.look("not-a-model")
        during = person.screen.pixels()
        person.screen.release_button()
        assert line_of(source) == "CopyAction"
        person.screen.changes(during)
        person.look("refused")
    assert names(person) == []
    assert person.leave() == ""
