"""The log of an endpoint in sentences."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.pages.monitor.log_card import ERRORS, WARNINGS, LogCard
from studio.gui.pages.monitor.log_lines import ERROR, INFO, WARNING, entries
from studio.gui.theme import Theming
from studio.monitoring.results import LogMessage

AT = "2026-11-18T14:02:00.250Z"


def line(event: str, **values: Any) -> str:
    return json.dumps({"at": AT, "event": event, **values})


@pytest.mark.parametrize(
    ("text", "level", "subject", "sentence"),
    [
        (line("ready", endpoint="http://x:1", name="digits", version="2"), INFO, "server",
         "digits v2 is ready at http://x:1."),
        (line("reloaded", generation=2, name="digits", version="2"), INFO, "release",
         "digits v2 is live."),
        (line("taken back", reason="the server ended."), ERROR, "release",
         "Automatic rollback: the server ended."),
        (line("draining", connections=1), INFO, "server",
         "The server stops after 1 open connection."),
        (line("not loaded", name="digits", reason="no such file"), ERROR, "release",
         "digits was not loaded: no such file."),
        (line("request", status=200, method="POST", path="/v2/models/d/infer", received=415,
              bytes=184, peer="127.0.0.1"), INFO, "request",
         "POST /v2/models/d/infer answered, status 200, 415 B received, 184 B sent, "
         "from 127.0.0.1."),
        (line("request", status=400, method="POST", path="/v2/models/d/infer", error="bad shape"),
         WARNING, "request", "POST /v2/models/d/infer refused, status 400, bad shape."),
        (line("request", status=503, method="GET", path="/edgewright/status"), ERROR, "request",
         "GET /edgewright/status failed, status 503."),
        (line("of a later version", count=3), INFO, "server", "Of a later version: count 3."),
        (json.dumps({"endpoint": "http://x:1", "pid": 7, "name": "digits", "version": "1"}), INFO,
         "server", "The server started with digits v1 at http://x:1."),
        ("Traceback (most recent call last):", ERROR, "server",
         "Traceback (most recent call last):"),
        ("[1, 2]", INFO, "server", "[1, 2]"),
    ],
)  # fmt: skip
def test_a_line_is_a_sentence_with_a_level(
    text: str, level: str, subject: str, sentence: str
) -> None:
    (entry,) = entries([text])
    assert (entry.level, entry.subject, entry.text) == (level, subject, sentence)


def test_reads_by_the_monitor_and_empty_lines_are_left_out() -> None:
    own = line("request", status=200, method="GET", path="/edgewright/status")
    assert entries([own, "", "  "]) == ()


def test_the_newest_line_is_first_with_its_local_time() -> None:
    first, second = entries([line("draining"), line("stopped")])
    assert first.text == "The server stopped."
    assert second.at.endswith(":00.250")


@pytest.fixture
def card(qtbot: QtBot) -> LogCard:
    made = LogCard(Theming("dark"))
    qtbot.addWidget(made)
    made.resize(700, 240)
    made.show()
    return made


def shown(card: LogCard) -> list[str]:
    return [entry.text for entry in card.model.entries]


def test_levels_and_words_filter_together(card: LogCard) -> None:
    assert card.empty.text() == "The log appears when the endpoint answers."
    card.show_log(LogMessage((
        line("reloaded", name="digits", version="2"),
        line("request", status=400, method="POST", path="/v2/a"),
        line("request", status=500, method="POST", path="/v2/b"),
        line("not loaded", name="tags", reason="x"),
    )))  # fmt: skip
    assert len(shown(card)) == 4
    assert [one.text() for one in card._buttons] == ["All", "Warnings 1", "Errors 2"]
    card.levels.set_index(ERRORS)
    assert shown(card) == ["tags was not loaded: x.", "POST /v2/b failed, status 500."]
    card.filter.setText("post ERROR")
    assert shown(card) == ["POST /v2/b failed, status 500."]
    card.levels.set_index(WARNINGS)
    assert shown(card) == []
    assert card.empty.text() == "No matching lines."


def test_without_follow_the_lines_stand_still(card: LogCard) -> None:
    card.show_log(LogMessage((line("draining"),)))
    card.follow.setChecked(False)
    card.show_log(LogMessage((line("draining"), line("stopped"))))
    assert shown(card) == ["The server stops after 0 open connections."]
    card.follow.setChecked(True)
    assert shown(card)[0] == "The server stopped."


def test_markup_in_a_log_is_text(card: LogCard) -> None:
    card.show_log(LogMessage(("<b>bold</b><img src=x>",)))
    index = card.model.index(0, 3)
    assert card.model.data(index) == "<b>bold</b><img src=x>"
    assert "<img" not in card.model.data(index, 3)
