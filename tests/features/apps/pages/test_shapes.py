"""Lines and areas: read from settings, changed, and written as settings."""

from __future__ import annotations

from typing import Any

import pytest

from studio.features.apps.pages.app.shape_editor import ShapeEditor
from studio.features.apps.pages.app.shapes import (
    form_of,
    setting_texts,
    settings_of,
    shapes_of,
    sources_of,
)
from tests.features.apps.pages.sample_app import PARTS, part

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("line", {"start": [10, 20], "end": [30.5, 40]}),
    ("zone", {"area": [[0, 0], [9, 0], [9, 9]]}),
    ("queue", {"area": [[0, 0], [9, 0], [9, 9]]}),
    ("speed", {"lines": [[0, 10, 50, 10], [0, 90, 50, 90]]}),
    ("speed", {"points": [[0, 0], [9, 0], [9, 9], [0, 9]]}),
]


@pytest.mark.parametrize(("kind", "settings"), SETTINGS)
def test_settings_come_back_as_they_were(kind: str, settings: dict[str, Any]) -> None:
    step = part("here", "step", kind, {"gate": "tracks"}, **settings, margin=0.1)
    assert settings_of(shapes_of([step])) == settings


@pytest.mark.parametrize(
    "settings", [{}, {"area": "${AREA}"}, {"area": [1, 2, 3]}, {"area": [["a", 2], [3, 4]]}]
)
def test_settings_that_are_no_points_give_no_shape(settings: dict[str, Any]) -> None:
    step = part("here", "step", "zone", {"gate": "tracks"}, **settings)
    assert shapes_of([step]) == ()
    assert form_of(step) == "area"


def test_only_some_steps_are_drawn() -> None:
    assert {one.name for one in PARTS if form_of(one)} == {"cross", "yard"}


def test_sources_reach_through_all_steps() -> None:
    assert sources_of(PARTS)["log"] == {"gate"}


def test_settings_are_words() -> None:
    given = {
        "classes": ["person"],
        "loop": True,
        "area": [[1, 2], [3, 4]],
        "by": [],
        "to": {"a": 1},
    }
    assert setting_texts(given) == [
        ("classes", "person"),
        ("loop", "yes"),
        ("area", "(1, 2), (3, 4)"),
        ("by", "none"),
        ("to", "a 1"),
    ]


@pytest.fixture
def editor() -> ShapeEditor:
    found = ShapeEditor()
    found.frame = (400, 300)
    found.show_saved(shapes_of(PARTS))
    found.edit("yard", "area")
    return found


def test_a_point_stays_within_the_frame_on_whole_pixels(editor: ShapeEditor) -> None:
    editor.select((0, 2))
    editor.move_to((1234.5, -3.2))
    assert editor.own()[0].points[2] == (400.0, 0.0)
    editor.move_by(-10.4, 5.2)
    assert editor.own()[0].points[2] == (390.0, 5.0)
    assert editor.is_changed


def test_points_are_added_and_removed_down_to_three(editor: ShapeEditor) -> None:
    assert editor.why_not_remove() == "Select a point first."
    editor.insert(0, 1, (150, 90))
    assert editor.own()[0].points[1] == (150.0, 90.0)
    for _ in range(4):
        editor.remove()
    assert len(editor.own()[0].points) == 3
    assert editor.why_not_remove() == "This area needs 3 points."


def test_the_keys_walk_around_all_points(editor: ShapeEditor) -> None:
    for _ in range(5):
        editor.select_next()
    assert editor.at == (0, 0)
    editor.select_next(back=True)
    assert editor.at == (0, 3)


def test_a_new_area_replaces_the_earlier_one(editor: ShapeEditor) -> None:
    editor.begin()
    for point in ((1, 1), (50, 1)):
        editor.add(point)
    assert not editor.close()
    editor.add((50, 1))  # a double click
    editor.add((50, 50))
    assert editor.close()
    assert settings_of(editor.own()) == {"area": [[1, 1], [50, 1], [50, 50]]}
    assert [one.step for one in editor.shapes] == ["cross", "yard"]


def test_a_line_ends_with_its_second_point(editor: ShapeEditor) -> None:
    editor.edit("cross", "line")
    editor.begin()
    editor.add((5, 6))
    editor.add((70, 80))
    assert editor.pending is None
    assert settings_of(editor.own()) == {"start": [5, 6], "end": [70, 80]}


def test_two_lines_take_four_points() -> None:
    found = ShapeEditor()
    found.edit("speed", "lines")
    found.begin()
    for point in ((0, 1), (9, 1), (0, 5)):
        found.add(point)
    assert settings_of(found.own()) == {}
    found.add((9, 5))
    assert settings_of(found.own()) == {"lines": [[0, 1, 9, 1], [0, 5, 9, 5]]}


def test_backspace_takes_points_back_until_nothing_is_drawn(editor: ShapeEditor) -> None:
    editor.begin()
    editor.add((1, 1))
    editor.undo()
    assert editor.pending == []
    editor.undo()
    assert editor.pending is None
    assert not editor.is_changed


def test_changes_stay_when_the_app_is_checked_again_and_go_when_discarded(
    editor: ShapeEditor,
) -> None:
    editor.select((0, 0))
    editor.move_to((5, 5))
    editor.show_saved(shapes_of(PARTS))
    assert editor.own()[0].points[0] == (5.0, 5.0)
    editor.discard()
    assert editor.own()[0].points[0] == (100.0, 100.0)
