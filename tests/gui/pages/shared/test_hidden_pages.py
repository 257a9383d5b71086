"""What changes while a page is hidden is shown when the page is; the keyboard stays on the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.pages.model.inspector import ModelInspector
from studio.gui.pages.model.summary import ModelSummary
from studio.gui.pages.profile.page import ProfilePage
from studio.gui.pages.quantize.page import QuantizePage
from studio.gui.pages.shared.base import Page
from studio.gui.pages.welcome.page import WelcomePage
from studio.gui.widgets.basics import row
from studio.workspace import RegistryChanged
from tests.gui.page_rig import Rig, opened, visible_texts


@pytest.fixture
def rig(studio_home: Path, tmp_path: Path, qtbot: QtBot) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


class _Fields(Page):
    """Two views: one with a label and two fields, one with a label alone."""

    title = "Fields"

    def fill(self) -> None:
        self.first, self.second = QLineEdit(), QLineEdit()
        holder = QWidget()
        holder.setLayout(row(QLabel("Name"), self.first, self.second))
        self.add_view("Fields", holder)
        self.add_view("Text", QLabel("nothing to type"))
        self.set_primary("Run", lambda: None)


def _fields(rig: Rig) -> _Fields:
    page = rig.page(_Fields)
    page.fill()
    QApplication.processEvents()  # what is added to a page that is shown is shown after it
    page.activateWindow()
    return page


def test_the_keyboard_goes_to_the_first_field_of_the_view(rig: Rig) -> None:
    page = _fields(rig)
    page.take_focus()
    assert page.focusWidget() is page.first
    page.first.setEnabled(False)
    page.take_focus()
    assert page.focusWidget() is page.second


def test_the_order_of_the_tab_key_decides_which_field_is_the_first(rig: Rig) -> None:
    page = _fields(rig)
    QWidget.setTabOrder(page.second, page.first)
    page.take_focus()
    assert page.focusWidget() is page.second


def test_a_view_without_fields_leaves_the_keyboard_to_the_primary_button(rig: Rig) -> None:
    page = _fields(rig)
    page.show_view(1)
    page.take_focus()
    assert page.focusWidget() is page.primary


def test_the_summary_shows_what_was_chosen_while_it_was_hidden(rig: Rig) -> None:
    summary = ModelSummary()
    summary.show()
    summary.show_variant(rig.variant("fp32"))
    assert "image" in _cells(summary)
    summary.hide()
    other = [{"name": "sound", "dtype": "float32", "shape": [1, 16000]}]
    summary.show_variant(rig.variant("other", inputs=other))
    summary.show()
    assert "sound" in _cells(summary)
    assert "image" not in _cells(summary)
    summary.close()


def _cells(summary: ModelSummary) -> list[str]:
    table = summary._inputs
    return [table.item(y, 0).text() for y in range(table.rowCount())]


def test_the_inspector_shows_what_was_chosen_while_it_was_hidden(rig: Rig) -> None:
    inspector = ModelInspector(
        rig.shell,  # type: ignore[arg-type]
        lambda _box: None,
        lambda _block: None,
        lambda: None,
    )
    first, second = rig.variant("fp32"), rig.variant("other")
    inspector.show_variant(first)
    inspector.show()
    assert "fp32 · onnx" in visible_texts(inspector)
    inspector.hide()
    inspector.show_variant(second)
    inspector.show()
    assert "other · onnx" in visible_texts(inspector)
    assert "fp32 · onnx" not in visible_texts(inspector)
    inspector.close()


def test_recent_models_are_read_when_the_page_is_shown(rig: Rig) -> None:
    rig.shell.choose_model = lambda: None  # type: ignore[attr-defined]
    page = rig.page(WelcomePage)
    assert "digits" not in _buttons(page)
    page.hide()
    rig.variant()
    page.on_event(RegistryChanged("records"))
    page.show()
    QApplication.processEvents()
    assert "digits" in _buttons(page)


def _buttons(page: Page) -> list[str]:
    return [one.text() for one in page.findChildren(QPushButton) if one.isVisibleTo(page)]


def test_a_new_variant_is_offered_for_the_next_profile(rig: Rig) -> None:
    first = rig.variant()
    page = rig.page(ProfilePage, first)
    option = page.form.fields["model"].option
    assert [value for value, _ in page.choices(option) or ()] == [f"#{first.id}"]
    page.hide()
    second = rig.variant("int8", first)
    page.on_event(RegistryChanged("records"))
    assert [value for value, _ in page.choices(option) or ()] == [f"#{first.id}", f"#{second.id}"]


def test_a_selected_variant_is_shown_once(rig: Rig) -> None:
    parent = rig.variant()
    rig.variant("int8", parent)
    page = rig.page(QuantizePage, parent)
    shown: list[int] = []
    page.variants.selected.connect(shown.append)
    page.variants.select(rig.registry.variants()[-1].id)
    assert shown == [rig.registry.variants()[-1].id]
    page.variants.table.selectRow(0)
    assert shown[1:] == [parent.id]
