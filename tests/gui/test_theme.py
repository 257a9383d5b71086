"""The palettes: every text can be read on every ground that it stands on."""

from __future__ import annotations

import string
import time
from itertools import product

import pytest
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication, QLabel, QStackedWidget, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.graph.families import TITLES
from studio.gui.graph.overlay import contrast, heat, make_overlay, readable_on
from studio.gui.theme import DARK, LIGHT, Theming, load
from studio.gui.widgets.style_parts import PartScroll, PartStack
from studio.settings import resource

GROUNDS = ("background", "surface", "surface_2")
TEXTS = ("text", "dim", "good_text", "warning_text", "bad_text", "accent_text")
READABLE, VISIBLE = 4.5, 3.0


@pytest.mark.parametrize("name", [DARK, LIGHT])
@pytest.mark.parametrize(("text", "ground"), list(product(TEXTS, GROUNDS)))
def test_text_can_be_read_on_every_ground(name: str, text: str, ground: str) -> None:
    theme = load(name)
    assert contrast(theme.color(text), theme.color(ground)) >= READABLE


@pytest.mark.parametrize("name", [DARK, LIGHT])
@pytest.mark.parametrize(
    ("text", "ground"),
    [("on_fill", "accent_fill"), ("text", "accent_ground"), ("text", "surface_3")],
)
def test_text_can_be_read_on_what_is_chosen(name: str, text: str, ground: str) -> None:
    theme = load(name)
    assert contrast(theme.color(text), theme.color(ground)) >= READABLE


@pytest.mark.parametrize("name", [DARK, LIGHT])
@pytest.mark.parametrize("mark", ["accent", "good", "warning", "bad"])
def test_marks_can_be_seen(name: str, mark: str) -> None:
    theme = load(name)
    assert contrast(theme.color(mark), theme.color("surface")) >= VISIBLE


@pytest.mark.parametrize("name", [DARK, LIGHT])
@pytest.mark.parametrize("family", TITLES)
@pytest.mark.parametrize("ink", ["ink", "ink_dim"])
def test_nodes_can_be_read(name: str, family: str, ink: str) -> None:
    theme = load(name)
    assert contrast(theme.graph_color(ink), theme.graph_color(family)) >= READABLE


@pytest.mark.parametrize("name", [DARK, LIGHT])
def test_names_on_bars_can_be_read(name: str) -> None:
    theme = load(name)
    families = [token for token in theme.colors if token.startswith("op_")]
    assert len(families) == 8
    for token in families:
        assert contrast(theme.color("on_bar"), theme.color(token)) >= READABLE, token
        assert contrast(theme.color(token), theme.color("surface")) >= VISIBLE, token


def test_heat_can_be_read_at_every_step() -> None:
    for step in range(101):
        ground = heat(step / 100)
        assert contrast(readable_on(ground), ground) >= READABLE


def test_heat_grows_lighter_so_that_hues_are_not_needed() -> None:
    black = QColor("#000000")
    lightness = [contrast(heat(step / 20), black) for step in range(21)]
    assert lightness == sorted(lightness)


def test_overlay_of_nothing_has_a_scale_all_the_same() -> None:
    overlay = make_overlay("MACs", {3: 0.0}, lambda value: f"{value:.0f}")
    assert (overlay.least, overlay.most, overlay.texts[3]) == ("0", "0", "0")


@pytest.mark.parametrize("name", [DARK, LIGHT])
def test_style_sheet_names_only_tokens_that_exist(name: str) -> None:
    sheet = resource("themes", "window.qss").read_text()
    wanted = {match["named"] for match in string.Template.pattern.finditer(sheet) if match["named"]}
    assert wanted <= set(load(name).colors)
    assert "$" not in load(name).style_sheet().replace("$text)", "")


def test_both_themes_have_the_same_tokens() -> None:
    dark, light = load(DARK), load(LIGHT)
    assert dark.colors.keys() == light.colors.keys()
    assert dark.graph.keys() == light.graph.keys()


def test_change_is_told_once(qtbot: object) -> None:
    theming = Theming(DARK)
    told: list[bool] = []
    theming.changed.connect(lambda: told.append(theming.current.dark))
    theming.choose(LIGHT)
    theming.choose(LIGHT)
    assert told == [False]


def _parts(qtbot: QtBot, theming: Theming) -> tuple[QStackedWidget, QWidget, QWidget]:
    """A window with a part that is shown, and one that is not; both are dressed."""
    window, shown, hidden = QStackedWidget(), QWidget(), QWidget()
    qtbot.addWidget(window)
    for part in (shown, hidden):
        window.addWidget(part)
        theming.dress(part)
    window.show()
    return window, shown, hidden


def _wait_for_paint(window: QWidget) -> None:
    """Run turns of the event loop one by one: on a busy machine, a wait has idle ones, too."""
    end = time.monotonic() + 30
    while not window.updatesEnabled():
        assert time.monotonic() < end
        QApplication.processEvents()


def test_part_that_is_shown_in_an_earlier_theme_is_dressed_before_it_is_painted(
    qtbot: QtBot,
) -> None:
    theming = Theming(DARK)
    window, shown, hidden = _parts(qtbot, theming)
    theming.choose(LIGHT)
    _wait_for_paint(window)
    assert shown.styleSheet() == load(LIGHT).style_sheet()
    assert hidden.styleSheet() == load(DARK).style_sheet(), "it has its turn later"
    theming.dress_shown(hidden)
    window.setCurrentWidget(hidden)
    assert hidden.styleSheet() == load(DARK).style_sheet(), "not in this turn"
    assert not window.updatesEnabled()
    _wait_for_paint(window)
    assert hidden.styleSheet() == load(LIGHT).style_sheet()


def test_containers_without_a_look_are_styled_part_by_part(qtbot: QtBot) -> None:
    theming = Theming(DARK)
    column, plain = PartScroll(), QLabel("a line")
    column.body.addWidget(plain)
    stack = PartStack(column, other := QWidget())
    qtbot.addWidget(stack)
    theming.dress(stack)
    theming.choose(LIGHT)
    qtbot.waitUntil(lambda: other.styleSheet() == load(LIGHT).style_sheet())
    qtbot.waitUntil(lambda: plain.styleSheet() == load(LIGHT).style_sheet())
    assert column.verticalScrollBar().styleSheet() == load(LIGHT).style_sheet()
    assert not stack.styleSheet()
    assert not column.styleSheet()


def test_part_without_any_theme_is_dressed_at_once(qtbot: QtBot) -> None:
    theming = Theming(DARK)
    window, _shown, _hidden = _parts(qtbot, theming)
    fresh = QWidget()
    window.addWidget(fresh)
    theming.dress_shown(fresh)
    assert fresh.styleSheet() == load(DARK).style_sheet()
    assert window.updatesEnabled()


def test_showing_a_part_announces_no_other_theme(qtbot: QtBot) -> None:
    theming = Theming(DARK)
    window, _shown, hidden = _parts(qtbot, theming)
    told: list[bool] = []
    theming.changed.connect(lambda: told.append(theming.current.dark))
    theming.choose(LIGHT)
    qtbot.waitUntil(window.updatesEnabled)
    theming.dress_shown(hidden)
    window.setCurrentWidget(hidden)
    qtbot.waitUntil(lambda: hidden.styleSheet() == load(LIGHT).style_sheet())
    qtbot.waitUntil(window.updatesEnabled)
    assert told == [False]
