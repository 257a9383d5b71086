"""Requests that wait for a thread: each has a turn, and only those that wait fill the queue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.runtime.serve.engine.executor import Executor
from studio.runtime.serve.engine.repository import Repository
from studio.runtime.serve.engine.served_model import ServedModel, load
from studio.runtime.serve.engine.source import from_file
from studio.runtime.serve.http.exchange import Exchange
from studio.runtime.serve.http.message import HttpError, Request
from studio.runtime.serve.service import Service
from tests.unit.runtime.serve import rig

CAPACITY = 4
FULL = CAPACITY + 1
"""With the one that the idle thread is about to take."""


class HeldExecutor(Executor):
    """Its threads begin only when they are told to."""

    def __init__(self) -> None:
        super().__init__(None, 1, CAPACITY)  # type: ignore[arg-type]
        self.handed_over: list[Any] = []

    def submit(self, work: Any) -> None:
        self.handed_over.append(work)

    def begin_all(self) -> None:
        """The turns run; their answers are sent later."""
        for turn in self.handed_over:
            turn.run()
        self.handed_over.clear()


@pytest.fixture
def model(tmp_path: Path) -> ServedModel:
    made = load(from_file(rig.constant(tmp_path / "answer.onnx", 1.0)), 1)
    made.inline = False
    made.batch_rows = 3
    return made


@pytest.fixture
def service() -> Service:
    return Service(Repository(), HeldExecutor(), None, 1 << 20)  # type: ignore[arg-type]


def ask(service: Service, model: ServedModel) -> None:
    """One request; nobody is there to be answered."""
    request = Request("POST", "/", "", {}, True)
    request.body = np.float32([0.5] * 4).tobytes()
    service.infer(Exchange(None, request, 0.0), model)  # type: ignore[arg-type]


def test_each_request_has_a_turn(service: Service, model: ServedModel) -> None:
    for number in range(FULL):
        ask(service, model)
        assert len(service.executor.handed_over) == number + 1  # type: ignore[attr-defined]
    with pytest.raises(HttpError) as refused:
        ask(service, model)
    assert refused.value.status == 503
    assert len(model.waiting) == FULL


def test_turns_that_are_left_over_do_not_fill_the_queue(
    service: Service, model: ServedModel
) -> None:
    held: HeldExecutor = service.executor  # type: ignore[assignment]
    for _ in range(CAPACITY):
        ask(service, model)
    for _ in range(20):  # others take along what the turns were for, and more requests come
        model.waiting.clear()
        for _ in range(CAPACITY):
            ask(service, model)
        assert len(held.handed_over) == CAPACITY
    held.begin_all()
    assert not model.waiting
    ask(service, model)
    assert len(held.handed_over) == 1, "turns that have begun see nothing that comes later"
