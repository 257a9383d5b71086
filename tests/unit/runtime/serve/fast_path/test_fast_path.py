"""Requests that come again with other values: answered without being read, as if they were."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.runtime.serve.engine.served_model import ServedModel, load
from studio.runtime.serve.engine.source import from_file
from studio.runtime.shared.access_tokens import VARIABLE, Tokens
from tests.unit.runtime.serve import rig
from tests.unit.runtime.serve.desk import Client, request, serving, values

FLOAT = TensorProto.FLOAT
LEARNED = 2
"""Requests of a connection that are read: by the second one it repeats itself."""


def made(
    path: Path,
    nodes: Sequence[Any],
    shapes: tuple[Sequence[Any], Sequence[Any]],
    kinds: tuple[int, int] = (FLOAT, FLOAT),
    **weights: np.ndarray,
) -> ServedModel:
    """A model from x to y, which the event loop runs."""
    value = helper.make_tensor_value_info
    file = rig.save_model(
        path / "m.onnx",
        nodes,
        [value("x", kinds[0], shapes[0])],
        [value("y", kinds[1], shapes[1])],
        initializer=[numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    return loaded(file)


def loaded(file: Path) -> ServedModel:
    model = load(from_file(file)._replace(name="m"), 1)
    model.inline = True
    model.observe = lambda seconds: None  # type: ignore[method-assign]  # also on a busy machine
    return model


@pytest.fixture
def model(tmp_path: Path) -> ServedModel:
    """y = 3 x + 1 over rows of four."""
    nodes = [
        helper.make_node("Mul", ["x", "three"], ["z"]),
        helper.make_node("Add", ["z", "one"], ["y"]),
    ]
    numbers = {"three": np.float32([3.0]), "one": np.float32([1.0])}
    return made(tmp_path, nodes, (["n", 4], ["n", 4]), **numbers)


def sample(number: int, rows: int = 1) -> np.ndarray:
    return np.random.default_rng(number).random((rows, 4), dtype=np.float32)


def settled(model: ServedModel) -> tuple[int, int]:
    """Requests and runs that were counted."""
    model.statistics.settle()
    return model.statistics.success, model.statistics.executions


@pytest.mark.parametrize("batch_rows", [1, 8])
def test_one_client_is_answered_without_being_read(model: ServedModel, batch_rows: int) -> None:
    model.batch_rows = batch_rows
    with serving(model) as desk, Client(desk) as client:
        for number in range(100):
            array = sample(number)
            assert np.array_equal(client.ask(array), 3 * array + 1)
        assert desk.read == LEARNED
    assert settled(model) == (100, 100)
    assert model.statistics.in_flight == 0


def test_clients_that_ask_together_share_runs_and_get_their_own_rows(model: ServedModel) -> None:
    model.batch_rows = 8
    rows = (1, 2, 1, 3, 5, 1, 8)
    with serving(model) as desk, ExitStack() as stack:
        clients = [stack.enter_context(Client(desk)) for _ in rows]
        for turn in range(30):
            arrays = [sample(100 * turn + n, size) for n, size in enumerate(rows)]
            for client, array in zip(clients, arrays, strict=True):
                client.send(array)
            for client, array in zip(clients, arrays, strict=True):
                assert np.array_equal(values(*client.hear()), 3 * array + 1)
        assert desk.read == LEARNED * len(rows)
    requests, runs = settled(model)
    assert requests == 30 * len(rows)
    assert runs < requests
    assert model.statistics.in_flight == 0


def test_another_request_of_the_same_size_is_read(model: ServedModel) -> None:
    with serving(model) as desk, Client(desk) as client:
        for number in range(4):
            client.ask(sample(number))
        read = desk.read
        client.socket.sendall(request(sample(1)).replace(b'"y"', b'"z"'))
        head, body = client.hear()
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"no output 'z'" in body
        assert np.array_equal(client.ask(sample(2)), 3 * sample(2) + 1)
        assert desk.read > read


def test_requests_in_pieces_and_several_at_once(model: ServedModel) -> None:
    with serving(model) as desk, Client(desk) as client:
        for number in range(4):
            client.ask(sample(number))
        raw = [request(sample(number)) for number in range(5)]
        client.socket.sendall(raw[0] + raw[1] + raw[2][:50])
        assert np.array_equal(values(*client.hear()), 3 * sample(0) + 1)
        assert np.array_equal(values(*client.hear()), 3 * sample(1) + 1)
        client.socket.sendall(raw[2][50:])
        assert np.array_equal(values(*client.hear()), 3 * sample(2) + 1)
        client.socket.sendall(raw[3])
        assert np.array_equal(values(*client.hear()), 3 * sample(3) + 1)


def test_the_next_version_answers_at_once(model: ServedModel, tmp_path: Path) -> None:
    (tmp_path / "next").mkdir()
    nodes = [helper.make_node("Neg", ["x"], ["y"])]
    following = made(tmp_path / "next", nodes, (["n", 4], ["n", 4]))
    with serving(model) as desk, Client(desk) as client:
        for number in range(5):
            client.ask(sample(number))
        desk.serve(following)
        assert np.array_equal(client.ask(sample(7)), -sample(7))
        read = desk.read
        assert np.array_equal(client.ask(sample(8)), -sample(8))
        assert np.array_equal(client.ask(sample(9)), -sample(9))
        assert desk.read == read + 1, "it is learned anew"


def test_a_version_that_was_replaced_is_let_go(model: ServedModel, tmp_path: Path) -> None:
    old = loaded(tmp_path / "m.onnx")
    old.batch_rows = 8
    with serving(model) as desk, Client(desk) as client:
        desk.serve(old)
        for number in range(LEARNED + 2):
            client.ask(sample(number))
        assert desk.read == LEARNED
        watched = weakref.ref(old)
        del old
        desk.serve(model)
        client.ask(sample(0))
        gc.collect()
        assert watched() is None


def test_nothing_is_learned_of_a_version_that_was_replaced_meanwhile(
    model: ServedModel, tmp_path: Path
) -> None:
    (tmp_path / "next").mkdir()
    nodes = [helper.make_node("Neg", ["x"], ["y"])]
    following = made(tmp_path / "next", nodes, (["n", 4], ["n", 4]))
    with serving(model) as desk, Client(desk) as client:
        infer = desk.service.infer

        def swapping(*given: Any) -> Any:
            response = infer(*given)
            if desk.read == LEARNED:  # this one would be learned
                desk.serve(following)
            return response

        desk.service.infer = swapping  # type: ignore[method-assign]
        for number in range(LEARNED):
            assert np.array_equal(client.ask(sample(number)), 3 * sample(number) + 1)
        for number in range(4):
            assert np.array_equal(client.ask(sample(number)), -sample(number))


def test_a_token_that_has_ended_is_refused(model: ServedModel, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    tokens = Tokens(file, {})
    with (
        serving(model, tokens=tokens) as desk,
        Client(desk, "Authorization: Bearer first\r\n") as client,
    ):
        for number in range(5):
            client.ask(sample(number))
        assert desk.read == LEARNED
        tokens._store(("second",))
        client.send(sample(1))
        assert client.hear()[0].startswith(b"HTTP/1.1 401 ")
    assert VARIABLE not in os.environ


@pytest.mark.parametrize("batch_rows", [1, 4])
def test_outputs_whose_size_depends_on_the_values(tmp_path: Path, batch_rows: int) -> None:
    nodes = [helper.make_node("NonZero", ["x"], ["y"])]
    model = made(tmp_path, nodes, (["n", 4], [2, "m"]), (FLOAT, TensorProto.INT64))
    model.batch_rows = batch_rows
    with serving(model) as desk, Client(desk) as client:
        for number in (0b1011, 0b1011, 0b1110, 0b1111, 0b0001, 0b1011, 0b0111):
            array = np.float32([[number >> bit & 1 for bit in range(4)]])
            assert np.array_equal(client.ask(array), np.array(array.nonzero()))


@pytest.mark.parametrize("batch_rows", [1, 8])
def test_values_that_the_model_refuses(tmp_path: Path, batch_rows: int) -> None:
    table = np.arange(12, dtype=np.float32).reshape(3, 4)
    nodes = [helper.make_node("Gather", ["table", "x"], ["y"])]
    kinds = (TensorProto.INT64, FLOAT)
    model = made(tmp_path, nodes, (["n"], ["n", 4]), kinds, table=table)
    model.batch_rows = batch_rows
    with serving(model) as desk, Client(desk) as good, Client(desk) as wrong:
        for index in (0, 1, 2, 1):
            for client in (good, wrong):
                assert np.array_equal(client.ask(np.int64([index])), table[[index]])
        for _ in range(2):
            wrong.send(np.int64([99]))
            good.send(np.int64([2]))
            assert not wrong.hear()[0].startswith(b"HTTP/1.1 200 ")
            assert np.array_equal(values(*good.hear()), table[[2]])
    assert model.statistics.failed == 2
    assert model.statistics.in_flight == 0


def test_a_run_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    file = rig.trips(tmp_path / "m.onnx")
    model = loaded(file)
    with serving(model, request_s=0.3) as desk, Client(desk) as client:

        def status(trips: int) -> bytes:
            client.socket.sendall(request(np.int64([trips]), name="trips"))
            return client.hear()[0].split()[1]

        assert [status(trips) for trips in (1, 2, 3, 4)] == [b"200"] * 4
        read = desk.read
        assert status(10**12) == b"504"
        assert desk.read == read
        assert status(5) == b"200"


def test_clients_that_vanish_take_nobody_along(model: ServedModel) -> None:
    model.batch_rows = 8
    with serving(model) as desk, ExitStack() as stack:
        clients = [stack.enter_context(Client(desk)) for _ in range(6)]
        for turn in range(20):
            for number, client in enumerate(clients):
                client.send(sample(number + turn))
                if turn == 10 and number < 3:
                    client.socket.close()
            if turn == 10:
                clients = clients[3:]
            for number, client in enumerate(clients):
                offset = 3 if turn == 10 else 0
                expected = 3 * sample(number + offset + turn) + 1
                assert np.array_equal(values(*client.hear()), expected)
        rig.wait_until(lambda: desk.server.connections == 3, "the others are forgotten")
    assert model.statistics.in_flight == 0


def test_the_last_answer_says_that_it_is_the_last(model: ServedModel) -> None:
    with serving(model) as desk, Client(desk) as client:
        for number in range(5):
            client.ask(sample(number))
        drained = asyncio.run_coroutine_threadsafe(desk.server.drain(2.0, 5.0), desk.loop)
        rig.wait_until(lambda: desk.server.draining, "it drains")
        client.send(sample(3))
        head, body = client.hear()
        assert b"Connection: close" in head
        assert np.array_equal(values(head, body), 3 * sample(3) + 1)
        assert drained.result(10)


def test_a_crowd_fills_the_queue_and_is_refused(model: ServedModel) -> None:
    """The queue of a model that takes no batches has an end, also for those that are known."""
    model.batch_rows = 1
    with serving(model) as desk, ExitStack() as stack:
        desk.service.executor.capacity = 4
        clients = [stack.enter_context(Client(desk)) for _ in range(40)]
        for client in clients:
            for number in range(3):
                client.ask(sample(number))
        model.alone = 0  # the next one may have company
        held, go = threading.Event(), threading.Event()
        desk.loop.call_soon_threadsafe(lambda: (held.set(), go.wait(10)))
        assert held.wait(10)
        for client in clients:
            client.send(sample(1))
        go.set()
        told = [client.hear()[0].split()[1] for client in clients]
    assert set(told) == {b"200", b"503"}
    assert told[:4] == [b"200"] * 4
