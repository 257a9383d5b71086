"""Events reach each sink in their order, again after a failure, and none is skipped."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from studio.runtime.apps.graph import Sink
from studio.runtime.apps.items import Event
from studio.runtime.apps.parts import RefusedError, SinkType
from studio.runtime.apps.sinks.delivery import SinkWorker, SinkWorkers
from studio.runtime.apps.sinks.outbox import Outbox
from tests.unit.runtime.apps.parts import Context, event


class Nothing(NamedTuple):
    """Settings of a receiver: none."""


class Receiver:
    """A sink that fails as often as the test has it.

    Attributes:
        faults: Raised by the next deliveries, the last of the list first.
        came: What was delivered.
    """

    def __init__(self) -> None:
        self.faults: list[Exception] = []
        self.came: list[Event] = []
        self.batches: list[int] = []
        self.closed = False
        self.enough = threading.Semaphore(0)

    def deliver(self, events: Any) -> None:
        if self.faults:
            raise self.faults.pop()
        self.came += events
        self.batches.append(len(events))
        for _ in events:
            self.enough.release()

    def close(self) -> None:
        self.closed = True


def sink(receiver: Receiver, name: str = "a", inputs: tuple[str, ...] = ("gate",)) -> Sink:
    kind = SinkType("made-up", "", Nothing, lambda name, settings, context: receiver)
    return Sink(name, kind, Nothing(), inputs)


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    found = Outbox(str(tmp_path), "yard", sinks=("a", "b"))
    yield found
    found.close()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


def worker(outbox: Outbox, receiver: Receiver, pauses: list[float]) -> SinkWorker:
    return SinkWorker(sink(receiver), receiver, outbox, pauses.append, lambda: 1.0)


def test_a_sink_gets_the_events_of_its_inputs_and_those_of_the_whole_app(
    outbox: Outbox, receiver: Receiver
) -> None:
    kinds = ["source-lost", "source-back", "source-failed", "events-lost"]
    outbox.add([event(1), event(2, step="other"), *(event(3, kind, "door") for kind in kinds)])
    one = worker(outbox, receiver, [])
    assert one.turn()
    assert not one.turn()
    assert [found.kind for found in receiver.came] == ["crossing", *kinds]
    assert one.to_json() == {
        "type": "made-up", "delivered": 5, "refused": 0, "waiting": 0, "reason": "",
    }  # fmt: skip


def test_events_of_others_alone_are_passed_without_a_delivery(
    outbox: Outbox, receiver: Receiver
) -> None:
    outbox.add([event(number, step="other") for number in range(5)])
    one = worker(outbox, receiver, [])
    assert one.turn()
    assert receiver.batches == []
    assert outbox.waiting("a") == 0


def test_a_batch_is_delivered_again_until_it_is_taken_with_longer_and_longer_pauses(
    outbox: Outbox, receiver: Receiver
) -> None:
    outbox.add([event(1)])
    receiver.faults = [OSError("gone") for _ in range(9)]
    pauses: list[float] = []
    one = worker(outbox, receiver, pauses)
    for _ in range(9):
        one.turn()
        assert one.to_json()["reason"] == "gone"
        assert one.to_json()["waiting"] == 1
    one.turn()
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]
    assert len(receiver.came) == 1
    assert one.to_json()["reason"] == ""
    outbox.add([event(2)])
    receiver.faults = [OSError("gone")]
    one.turn()
    assert pauses[-1] == 0.5  # a success ends the series


def test_pauses_differ_between_boards(outbox: Outbox, receiver: Receiver) -> None:
    outbox.add([event(1)])
    receiver.faults = [OSError("gone") for _ in range(2)]
    pauses: list[float] = []
    chances = [0.0, 0.5]
    one = SinkWorker(sink(receiver), receiver, outbox, pauses.append, lambda: chances.pop(0))
    one.turn()
    one.turn()
    assert pauses == [0.25, 0.75]


def test_a_refused_batch_is_counted_and_the_next_one_is_delivered(
    outbox: Outbox, receiver: Receiver
) -> None:
    outbox.add([event(1), event(2, step="other")])
    receiver.faults = [RefusedError("hook.test refuses the events (400)")]
    pauses: list[float] = []
    one = worker(outbox, receiver, pauses)
    assert one.turn()
    outbox.add([event(3)])
    assert one.turn()
    assert [found.details["n"] for found in receiver.came] == [3]
    assert pauses == []
    state = one.to_json()
    assert (state["refused"], state["delivered"]) == (1, 1)
    assert state["reason"] == "hook.test refuses the events (400)"


def test_a_fault_of_the_sinks_own_code_is_retried_and_reported(
    outbox: Outbox, receiver: Receiver
) -> None:
    outbox.add([event(1)])
    receiver.faults = [KeyError("x")]
    one = worker(outbox, receiver, [])
    one.turn()
    assert str(one.to_json()["reason"]).startswith("the sink fails: '")
    one.turn()
    assert len(receiver.came) == 1


def test_a_sink_that_hangs_does_not_delay_another(tmp_path: Path) -> None:
    outbox = Outbox(str(tmp_path), "yard", sinks=("a", "b"))
    slow, quick = Receiver(), Receiver()
    end, hangs = threading.Event(), threading.Event()

    def hang(events: Any) -> None:
        hangs.set()
        end.wait(60)

    slow.deliver = hang  # type: ignore[method-assign]
    workers = SinkWorkers([sink(slow, "a"), sink(quick, "b")], Context(), outbox)
    workers.start()
    outbox.add([event(0)])
    assert hangs.wait(60)
    for number in range(250):
        outbox.add([event(number)])
    for _ in range(251):
        assert quick.enough.acquire(timeout=60)
    end.set()
    workers.stop()
    assert slow.closed
    assert quick.closed
    assert max(quick.batches) <= 100


def test_what_was_not_delivered_is_delivered_by_the_next_run(tmp_path: Path) -> None:
    first = Receiver()
    first.faults = [OSError("gone")]
    outbox = Outbox(str(tmp_path), "yard", sinks=("a",))
    ids = [one.id for one in outbox.add([event(1), event(2)])]
    worker(outbox, first, []).turn()
    outbox.close()
    again = Outbox(str(tmp_path), "yard", sinks=("a",))
    second = Receiver()
    worker(again, second, []).turn()
    again.close()
    assert [one.id for one in second.came] == ids


def test_a_worker_that_was_never_started_can_be_stopped(outbox: Outbox, receiver: Receiver) -> None:
    workers = SinkWorkers([sink(receiver)], Context(), outbox)
    workers.stop()
    assert not receiver.came


class Picky(Receiver):
    """A receiver that refuses whole batches for one event in them."""

    def deliver(self, events: Any) -> None:
        if any(one.details["n"] == 42 for one in events):
            raise RefusedError("hook.test refuses the events (422)")
        super().deliver(events)


def test_one_event_that_is_refused_puts_no_other_aside(outbox: Outbox) -> None:
    outbox.add([event(number) for number in range(100)])
    receiver = Picky()
    one = worker(outbox, receiver, [])
    assert one.turn()
    assert [found.details["n"] for found in receiver.came] == [*range(42), *range(43, 100)]
    state = one.to_json()
    assert (state["delivered"], state["refused"], state["waiting"]) == (99, 1, 0)


def test_a_receiver_that_is_lost_among_single_events_gets_the_rest_later(outbox: Outbox) -> None:
    outbox.add([event(number) for number in (1, 42, 3)])
    receiver = Picky()
    one = worker(outbox, receiver, [])
    receiver.faults = []
    calls = iter([None, None, None, OSError("gone")])
    deliver = receiver.deliver

    def fails_at_last(events: Any) -> None:
        fault = next(calls, None)
        if fault is not None:
            raise fault
        deliver(events)

    receiver.deliver = fails_at_last  # type: ignore[method-assign]
    assert one.turn()
    assert [found.details["n"] for found in receiver.came] == [1]
    one.turn()
    assert [found.details["n"] for found in receiver.came] == [1, 3]
    assert outbox.waiting("a") == 0
