"""Language models on the Monitor page: figures, charts and rows of the fleet in tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.documents.dataclass_json import from_json
from studio.gui.pages.monitor.fleet_view import FleetView
from studio.gui.pages.monitor.page import MonitorPage
from studio.gui.theme import Theming
from studio.monitoring.results import FleetSample
from studio.workspace.inbox import Inbox
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.gui.pages.monitor.test_page import SAMPLE, served

LANGUAGE: dict[str, Any] = {
    "context": 2048,
    "slots": 4,
    "active": 3,
    "waiting": 2,
    "held_tokens": 2048,
    "room_tokens": 8192,
    "prompt_tokens": 1000,
    "cached_tokens": 250,
    "answer_tokens": 900,
    "tokens_per_s": 27.31,
    "first_token_ms": {"p50": 115.2, "p99": 266.0},
    "token_ms": {"p50": 36.4, "p99": 41.0},
    "ends": {"stop": 12, "length": 2},
    "guard": [{"name": "plans", "on": "both", "action": "refuse", "prompts": 2, "answers": 1}],
}


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


def row(name: str, language: dict[str, Any] | None = None) -> FleetSample:
    """Return a sample of the fleet."""
    document = {**SAMPLE, "target": name, "version": 3}
    if language is not None:
        document["language"] = language
    return from_json(FleetSample, document)


def test_figures_are_in_tokens(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    rig.message(page, "sample", **SAMPLE, language=LANGUAGE)
    shown = {
        figure.name.text(): f"{figure.value.text()} {figure.unit.text()}".strip()
        for figure in page.view.strip.figures.values()
    }
    assert shown == {
        "Tokens": "27.3 /s",
        "First token": "115 ms",
        "Each token": "36.4 ms",
        "Running": "3 of 4, 2 waiting",
        "Cache": "25 %",
        "Drift": "—",
    }
    texts = visible_texts(page).splitlines()
    assert "Tokens a second" in texts
    assert "Requests a second" not in texts


def test_another_model_has_its_own_figures_again(rig: Rig) -> None:
    served(rig)
    page = rig.page(MonitorPage)
    rig.message(page, "sample", **SAMPLE, language=LANGUAGE)
    page.view.strip.clear()
    page.view.charts.clear()
    rig.message(page, "sample", **SAMPLE)
    assert page.view.strip.figures["p50"].name.text() == "p50 latency"
    assert "Requests a second" in visible_texts(page).splitlines()


@pytest.mark.parametrize(
    ("samples", "titles"),
    [
        ((row("a"),), ("req/s", "p99 ms")),
        ((row("a", LANGUAGE),), ("tokens/s", "1st token ms")),
        ((row("a"), row("b", LANGUAGE)), ("Rate", "Latency")),
    ],
)
def test_the_columns_of_a_fleet_fit_its_models(
    qtbot: QtBot, samples: tuple[FleetSample, ...], titles: tuple[str, str]
) -> None:
    view = FleetView(Theming("light"), Inbox())
    qtbot.addWidget(view)
    view.ingest(samples)
    view.show_now()
    assert tuple(title for title, _, _ in view.rows._cells(1000))[3:5] == titles
    view.resize(960, 640)
    view.grab()
    cells = [view.rows._speed(one) for one in view.fleet.shown()]
    if titles[0] == "Rate":
        assert cells == [("31.0 req/s", "18.1 ms p99"), ("27.3 tok/s", "115 ms 1st")]
    elif titles[0] == "tokens/s":
        assert cells == [("27.3", "115")]


def test_the_charts_of_a_fleet_name_what_they_show(qtbot: QtBot) -> None:
    view = FleetView(Theming("light"), Inbox())
    qtbot.addWidget(view)
    view.ingest([row("a", LANGUAGE)])
    view.show_now()
    assert [one.text() for one in view.names] == [
        "Time to the first token, p50 in ms",
        "Tokens a second",
    ]
    view.ingest([row("b")])
    view.rows.choose("b")
    view.show_now()
    assert view.names[1].text() == "Requests a second"
