"""Forms: the right editor for each kind, complaints in place, values as the step wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from studio.api import Kind, Option, validate
from studio.gui.forms.editors import (
    ChecksEditor,
    ChoiceEditor,
    FlagEditor,
    NumberEditor,
    TextEditor,
)
from studio.gui.forms.form import Field, Form, make_editor
from studio.gui.forms.path_editor import PathEditor
from studio.steps.catalogue import steps


class Known:
    """Two models and a target."""

    models: tuple[tuple[str, str], ...] = (("#1", "fp32"), ("#2", "int8"))

    def choices(self, option: Option) -> Sequence[tuple[str, str]] | None:
        if option.kind is Kind.MODEL:
            return self.models
        return [("local", "This computer")] if option.kind is Kind.TARGET else None


@pytest.mark.parametrize(
    ("option", "editor"),
    [
        (Option("a"), TextEditor),
        (Option("a", Kind.INTEGER), NumberEditor),
        (Option("a", Kind.NUMBER), NumberEditor),
        (Option("a", Kind.FLAG, False), FlagEditor),
        (Option("a", Kind.CHOICE, "x", choices=("x", "y")), ChoiceEditor),
        (Option("a", Kind.CHOICE, choices=("x", "y"), many=True), ChecksEditor),
        (Option("a", Kind.FILE), PathEditor),
        (Option("a", Kind.FOLDER), PathEditor),
        (Option("a", Kind.DATA), PathEditor),
        (Option("a", Kind.OUTPUT), PathEditor),
        (Option("a", Kind.MODEL), ChoiceEditor),
        (Option("a", Kind.MODEL, many=True), ChecksEditor),
        (Option("a", Kind.TARGET, "local"), ChoiceEditor),
    ],
    ids=lambda value: getattr(value, "kind", value) if isinstance(value, Option) else "",
)
def test_each_kind_has_its_editor(qtbot: QtBot, option: Option, editor: type) -> None:
    made = make_editor(option, Known())
    qtbot.addWidget(made)
    assert type(made) is editor


@pytest.mark.parametrize("name", sorted(steps()))
def test_untouched_form_gives_the_defaults_of_the_step(qtbot: QtBot, name: str) -> None:
    options = [option for option in steps()[name].form if not option.required]
    form = Form(options)
    qtbot.addWidget(form)
    assert said(form.values()) == said(validate(options, {}))


def said(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that say something; an empty list and a flag that is off do not."""
    silent: tuple[object, ...] = (None, False, [])
    return {
        name: value
        for name, value in values.items()
        if not any(value == nothing and type(value) is type(nothing) for nothing in silent)
    }


def test_values_have_the_type_of_their_option(qtbot: QtBot) -> None:
    form = Form(
        [
            Option("samples", Kind.INTEGER, 128, minimum=1),
            Option("margin", Kind.NUMBER, 0.03, minimum=0),
            Option("seed", Kind.INTEGER),
            Option("keep", many=True),
            Option("exact", Kind.FLAG, False),
        ]
    )
    qtbot.addWidget(form)
    form.set_values({"samples": 7, "margin": 1e-5, "keep": ["Conv", "head/*"], "exact": True})
    assert form.values() == {
        "samples": 7,
        "margin": 1e-5,
        "keep": ["Conv", "head/*"],
        "exact": True,
    }
    assert isinstance(form.values()["samples"], int)


def test_number_without_a_default_can_be_set_and_unset(qtbot: QtBot) -> None:
    editor = NumberEditor(Option("max_drop", Kind.NUMBER, minimum=0, unit="pt"))
    qtbot.addWidget(editor)
    assert editor.value() is None
    assert editor.spin.text() == "not set"
    editor.set_value(0)
    assert editor.value() == 0
    editor.set_value(0.5)
    assert editor.spin.text() == "0.5 pt"
    editor.set_value(None)
    assert editor.value() is None


def test_complaint_stands_under_its_field_and_focuses_it(qtbot: QtBot, tmp_path: Path) -> None:
    form = Form([Option("name", required=True), Option("data", Kind.DATA, title="Data")])
    qtbot.addWidget(form)
    form.show()
    data = form.fields["data"]
    data.editor.set_value(str(tmp_path / "absent"))
    assert data.complaint.text() == f"{tmp_path / 'absent'} does not exist."
    assert not form.check()
    name = form.fields["name"]
    assert name.complaint.text() == "Enter a value for Name."
    assert name.complaint.isVisible()
    assert name.editor.focusProxy().property("invalid") is True
    assert form.focusWidget() is name.editor.focusProxy()
    name.editor.set_value("board")
    data.editor.set_value(str(tmp_path))
    assert form.check()
    assert not name.complaint.isVisible()
    assert not data.complaint.isVisible()


def test_wrong_value_behind_the_disclosure_is_unfolded(qtbot: QtBot) -> None:
    form = Form([Option("a", default="x"), Option("b", required=True, advanced=True)])
    qtbot.addWidget(form)
    form.show()
    assert not form.fields["b"].isVisible()
    assert not form.check()
    assert form.fields["b"].isVisible()


@pytest.mark.parametrize("kind", [Kind.FILE, Kind.FOLDER, Kind.DATA])
def test_path_can_be_dropped(qtbot: QtBot, tmp_path: Path, kind: Kind) -> None:
    editor = PathEditor(Option("data", kind))
    qtbot.addWidget(editor)
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    none = (Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier)
    copy = Qt.DropAction.CopyAction
    enter = QDragEnterEvent(QPoint(5, 5), copy, mime, *none)
    QApplication.sendEvent(editor, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(editor, QDropEvent(QPointF(5, 5), copy, mime, *none))
    assert editor.value() == str(tmp_path)


def test_web_address_is_no_path(qtbot: QtBot) -> None:
    editor = PathEditor(Option("data", Kind.DATA))
    qtbot.addWidget(editor)
    mime = QMimeData()
    mime.setUrls([QUrl("https://example.org/data.npz")])
    enter = QDragEnterEvent(
        QPoint(5, 5),
        Qt.DropAction.CopyAction,
        mime,
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
    )
    QApplication.sendEvent(editor, enter)
    assert not enter.isAccepted()


def test_wheel_scrolls_the_page_and_changes_no_value(qtbot: QtBot) -> None:
    form = Form([Option("n", Kind.INTEGER, 5), Option("c", Kind.CHOICE, "x", choices=("x", "y"))])
    qtbot.addWidget(form)
    form.show()
    for name in ("n", "c"):
        widget = form.fields[name].editor.focusProxy()
        assert widget is not None
        widget.clearFocus()
        qtbot.wait_until(lambda widget=widget: not widget.hasFocus())
        _wheel(widget)
    assert form.values() == {"n": 5, "c": "x"}


def _wheel(widget: QWidget) -> None:
    from PySide6.QtGui import QWheelEvent

    event = QWheelEvent(
        QPointF(5, 5),
        QPointF(widget.mapToGlobal(QPoint(5, 5))),
        QPoint(0, 0),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(widget, event)


def test_tab_goes_through_the_fields_in_their_order(qtbot: QtBot) -> None:
    form = Form([Option("a"), Option("b", Kind.INTEGER, 1), Option("c")], columns=2)
    qtbot.addWidget(form)
    form.show()
    form.activateWindow()
    form.fields["a"].editor.setFocus()
    seen = [form.focusWidget().objectName()]
    for _ in range(2):
        qtbot.keyClick(form.focusWidget(), Qt.Key.Key_Tab)
        seen.append(form.focusWidget().objectName())
    assert seen == ["option.a", "option.b", "option.c"]


def test_editors_are_named_for_a_screen_reader(qtbot: QtBot) -> None:
    option = Option("data", Kind.DATA, title="Calibration data", help="Shows the ranges.")
    form = Form([option])
    qtbot.addWidget(form)
    line = form.fields["data"].editor.focusProxy()
    assert line is not None
    assert line.accessibleName() == "Calibration data"
    assert line.accessibleDescription() == "Shows the ranges."


def test_refresh_offers_new_models_and_keeps_the_choice(qtbot: QtBot) -> None:
    known = Known()
    form = Form([Option("model", Kind.MODEL, many=True), Option("one", Kind.MODEL)], known)
    qtbot.addWidget(form)
    form.set_values({"model": ["#2"], "one": "#2"})
    known.models = (*known.models, ("#3", "fp16"))
    form.refresh()
    assert form.values() == {"model": ["#2"], "one": "#2"}
    form.set_values({"model": ["#2", "#3"]})
    assert form.values()["model"] == ["#2", "#3"]


def test_check_boxes_stand_below_each_other_where_there_is_little_room(qtbot: QtBot) -> None:
    entries = [(str(number), f"a backend that is to be installed {number}") for number in range(5)]
    editor = ChecksEditor(Option("backend", Kind.CHOICE, many=True), entries)
    window = QWidget()  # one by itself does not become smaller than its layout
    qtbot.addWidget(window)
    editor.setParent(window)
    window.show()
    for width, lines in ((2400, 1), (600, 3), (250, 5)):
        editor.resize(width, 200)
        QApplication.processEvents()
        tops = {box.y() for box in editor.boxes.values()}
        assert len(tops) == lines, width
        assert all(box.geometry().right() < width for box in editor.boxes.values())
    assert editor.minimumSizeHint().width() < 600


def test_texts_below_a_field_are_made_when_there_is_something_to_say(qtbot: QtBot) -> None:
    option = Option("name", Kind.TEXT, required=True)
    field = Field(option, make_editor(option))
    qtbot.addWidget(field)
    field.show()
    silent = len(field.findChildren(QLabel))
    field.explain("")
    field.forget()
    assert len(field.findChildren(QLabel)) == silent
    field.explain("Other devices have it, too.")
    assert not field.check()
    assert len(field.findChildren(QLabel)) == silent + 2
    QApplication.processEvents()
    below = [field.editor, field.complaint, field.note]
    assert all(one.isVisible() for one in below)
    assert [one.y() for one in below] == sorted({one.y() for one in below})
    field.explain("")
    field.forget()
    assert not field.note.isVisible()
    assert not field.complaint.isVisible()


def test_a_long_title_has_a_line_of_its_own(qtbot: QtBot) -> None:
    """In half of a line it would widen both columns beyond a sheet."""
    titles = ("Token", "TLS", "Shadow comparison with previous release", "Port")
    options = [Option(f"o{at}", Kind.TEXT, title=title) for at, title in enumerate(titles)]
    form = Form(options, columns=2)
    qtbot.addWidget(form)
    assert [field.wide for field in form.fields.values()] == [False, False, True, False]
