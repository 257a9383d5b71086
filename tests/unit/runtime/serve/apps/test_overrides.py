"""Overrides: decisions of persons among the events of an app."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from studio.runtime.apps.document import AppDocument, OutboxSettings
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.graph import AppGraph
from studio.runtime.apps.sinks.outbox import Outbox
from studio.runtime.serve.apps.host import AppHost
from studio.runtime.serve.apps.overrides import add_override
from studio.runtime.serve.endpoints import ROUTES
from studio.runtime.serve.http.exchange import Exchange
from studio.runtime.serve.http.message import HttpError, Request, Response
from studio.runtime.serve.rest.router import CONTROL_BYTES, PathNames, Router
from studio.runtime.serve.service import Service
from tests.unit.runtime.apps.parts import Camera, Context, document, event

NOTICE = "For demonstration only."
PATH = "/edgewright/app/overrides"


class Board:
    """A running app with one event, and clients that override it."""

    def __init__(self, folder: Path) -> None:
        self.outbox = Outbox(str(folder), "triage", OutboxSettings(), ["log"])
        (first,) = self.outbox.add([event(kind="assessment", decision="refer")])
        self.id = first.id
        app = AppDocument.from_json(
            document(notice=NOTICE, sources={"door": {"type": "video", "path": "x"}})
        )
        graph = AppGraph(app, (Camera().source,), (), ())
        engine = AppEngine(graph, Context(), self.outbox)
        host = AppHost(lambda *_, **__: None)
        host.running = cast("Any", SimpleNamespace(engine=engine, outbox=self.outbox))
        self.engine = engine
        self.service = cast("Service", SimpleNamespace(app=host))

    def post(self, kind: str = "application/json", **given: Any) -> Response:
        texts = {"event": self.id, "decision": "positive", "reason": "seen", "by": "Dr A"}
        request = Request("POST", PATH, "", cast("Any", {"content-type": kind}), True)
        request.body = json.dumps({**texts, **given}).encode()
        exchange = Exchange(cast("Any", None), request, 0.0)
        found = add_override(self.service, exchange, PathNames())
        assert found is not None
        return found


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Board]:
    found = Board(tmp_path)
    yield found
    found.outbox.close()


def test_an_override_is_an_event_of_its_own(board: Board) -> None:
    answer = board.post(reason="  The patient was moving.  ")
    shown = json.loads(bytes(answer.body))
    assert answer.status == 200
    assert shown["kind"] == "override"
    assert (shown["event"], shown["was"], shown["decision"]) == (board.id, "refer", "positive")
    assert (shown["by"], shown["reason"]) == ("Dr A", "The patient was moving.")
    assert (shown["step"], shown["source"]) == ("gate", "door")
    assert shown["notice"] == NOTICE
    stored = board.outbox.newest(1)[0]
    assert stored.id == shown["id"] != board.id
    assert board.engine.counts["gate override"] == 1


def test_an_override_waits_for_the_sinks_like_any_event(board: Board) -> None:
    board.post()
    kinds = [one.event.kind for one in board.outbox.batch("log", 10)]
    assert kinds == ["assessment", "override"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"by": ""}, "by is a text of 1 to 200 characters"),
        ({"by": 5}, "by is a text"),
        ({"reason": " "}, "reason is a text of 1 to 2,000 characters"),
        ({"reason": "x" * 2001}, "reason is a text"),
        ({"decision": "x" * 101}, "decision is a text of 1 to 100 characters"),
        ({"diagnosis": "x"}, "An override has no 'diagnosis'"),
    ],
)
def test_a_text_that_does_not_fit_is_refused(
    board: Board, given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(HttpError, match=sentence) as caught:
        board.post(**given)
    assert caught.value.status == 400
    assert len(board.outbox.newest(10)) == 1


def test_an_event_that_is_not_kept_cannot_be_overridden(board: Board) -> None:
    prefix = board.id.rpartition("-")[0]
    for name in (f"{prefix}-99", "other-000000-1", "x", f"{prefix}-0", f"{prefix}-01"):
        with pytest.raises(HttpError, match="no event with this id") as caught:
            board.post(event=name)
        assert caught.value.status == 404


def test_an_override_cannot_be_overridden(board: Board) -> None:
    first = json.loads(bytes(board.post().body))
    with pytest.raises(HttpError, match="is an override"):
        board.post(event=first["id"])


def test_a_form_of_a_web_page_cannot_override(board: Board) -> None:
    with pytest.raises(HttpError) as caught:
        board.post("text/plain")
    assert caught.value.status == 415


def test_without_an_app_there_is_no_override(board: Board) -> None:
    assert board.service.app is not None
    cast("AppHost", board.service.app).running = None
    with pytest.raises(HttpError, match="No app runs here") as caught:
        board.post()
    assert caught.value.status == 404


def test_an_override_needs_the_token_and_has_a_small_body() -> None:
    router = Router(ROUTES)
    assert not router.is_probe("POST", PATH)
    assert router.body_of("POST", PATH) == CONTROL_BYTES
