"""Texts of a board on the Monitor page that a label would render, or fetch files for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import Qt as RichText
from PySide6.QtWidgets import QAbstractItemView, QLabel, QWidget
from pytestqt.qtbot import QtBot

from studio.api import TargetSpec
from studio.gui.pages.monitor.page import ALERTS_VIEW, ENDPOINT_VIEW, MonitorPage
from tests.gui.page_rig import Rig, opened
from tests.gui.pages.monitor.test_page import SAMPLE

AT = "2026-11-18T14:02:00.250Z"
_ELEMENT = re.compile("<[^>]*>?")
_OWN = {"<p>", "</p>", "<br>"}
TEXTS = (
    "<img src='file:///etc/passwd'><b>bold</b>",
    "<a href='javascript:x()'>go</a><h1>healthy</h1>",
    "<!DOCTYPE html><table><tr><td>\u202e</table>",
    "__proto__ &lt;b&gt; <b>" + "x" * 100_000,
)


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def rendered(root: QWidget) -> list[str]:
    """Return the texts of a page that Qt would take for markup."""
    texts = [widget.toolTip() for widget in (root, *root.findChildren(QWidget))]
    labels = root.findChildren(QLabel)
    texts += [one.text() for one in labels if one.textFormat() != Qt.TextFormat.PlainText]
    for view in root.findChildren(QAbstractItemView):
        if (model := view.model()) is not None:
            texts += tips(model)
    return [text[:80] for text in texts if is_markup(text)]


def is_markup(text: str) -> bool:
    """Return whether a text has other elements than the paragraphs of an escaped tooltip."""
    return RichText.mightBeRichText(text) and bool(set(_ELEMENT.findall(text)) - _OWN)


def tips(model: QAbstractItemModel) -> Iterator[str]:
    for row in range(min(model.rowCount(), 20)):
        for column in range(model.columnCount()):
            tip = model.index(row, column).data(Qt.ItemDataRole.ToolTipRole)
            yield tip if isinstance(tip, str) else ""


@pytest.mark.parametrize("text", TEXTS, ids=["picture", "link", "page", "long"])
def test_no_text_of_a_board_is_markup(rig: Rig, text: str) -> None:
    details = {"version": 12, "variant_name": text, "endpoint": f"http://127.0.0.1:8477/{text}"}
    rig.workspace.add_target(TargetSpec("roof", "ssh://me@roof"))
    rig.registry.add_release("roof", None, "ab" * 32, "serving", details)
    page = rig.page(MonitorPage)
    drift: dict[str, Any] = {"alerts": [], "why": text, "signals": [{"name": text, "why": text}]}
    alert = {"name": text, "level": "critical", "text": text}
    rig.message(page, "sample", **{**SAMPLE, "target": "roof", "alerts": [alert], "error": text})
    rig.message(page, "sample", **{**SAMPLE, "target": "roof", "drift_state": drift})
    lines = [json.dumps({"at": AT, "event": text, "reason": text, text: text}), text]
    rig.message(page, "log", lines=lines)
    shown = [label.text() for label in page.findChildren(QLabel)]
    for view in (ENDPOINT_VIEW, ALERTS_VIEW):
        page.show_view(view)
        assert rendered(page) == []
    assert any("<" in line for line in shown), "the texts are shown"


def test_a_label_that_renders_is_seen(qtbot: QtBot) -> None:
    label = QLabel(TEXTS[0])
    qtbot.addWidget(label)
    label.setToolTip(TEXTS[1])
    holder = QWidget()
    qtbot.addWidget(holder)
    label.setParent(holder)
    assert len(rendered(holder)) == 2
