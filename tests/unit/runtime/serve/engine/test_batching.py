"""Requests that run together: only where it is safe, with the answers that each gets alone."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from studio.runtime.serve.engine.call import InferenceCall, run_together
from studio.runtime.serve.engine.served_model import ServedModel, load
from studio.runtime.serve.engine.session import ModelSession, invented_feeds
from studio.runtime.serve.engine.source import from_file
from studio.runtime.serve.engine.tuning import _changed, _independent, _joined, rows_of_a_batch
from studio.runtime.serve.http.exchange import Exchange
from studio.runtime.serve.http.message import Request
from tests.unit.runtime.serve import rig

FLOAT = TensorProto.FLOAT


def perceptron(path: Path) -> Path:
    """One large product of matrices: two rows cost little more than one."""
    weights = np.random.default_rng(0).standard_normal((512, 2048)).astype(np.float32)
    return rig.save_model(
        path,
        [helper.make_node("MatMul", ["x", "w"], ["h"]), helper.make_node("Relu", ["h"], ["y"])],
        [helper.make_tensor_value_info("x", FLOAT, ["n", 512])],
        [helper.make_tensor_value_info("y", FLOAT, ["n", 2048])],
        initializer=[numpy_helper.from_array(weights, "w")],
    )


def over_rows(path: Path) -> Path:
    """A model whose rows influence each other: a softmax over the first axis."""
    return rig.save_model(
        path,
        [helper.make_node("Softmax", ["x"], ["y"], axis=0)],
        [helper.make_tensor_value_info("x", FLOAT, ["n", 4])],
        [helper.make_tensor_value_info("y", FLOAT, ["n", 4])],
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> ServedModel:
    """The perceptron; rows are fixed, whatever this machine measured."""
    path = perceptron(tmp_path_factory.mktemp("batching") / "perceptron.onnx")
    made = load(from_file(path), 1)
    made.batch_rows = 6
    return made


def call(model: ServedModel, array: np.ndarray, **more: Any) -> InferenceCall:
    """A request with a binary input."""
    entry = {"name": "x", "datatype": "FP32", "shape": list(array.shape)}
    entry["parameters"] = {"binary_data_size": array.nbytes}
    outputs = [{"name": "y", "parameters": {"binary_data": True}}]
    head = json.dumps({"inputs": [entry], "outputs": outputs, **more}).encode()
    headers = {"inference-header-content-length": str(len(head))}
    request = Request("POST", "/", "", headers, True)
    request.body = head + array.tobytes()
    return InferenceCall(Exchange(None, request, 0.0), model, 1 << 20)  # type: ignore[arg-type]


def answer(call: InferenceCall, rows: int) -> np.ndarray:
    response = call.conclude()
    assert response.status == 200, response.body
    raw = b"".join([response.body, *response.parts])
    return np.frombuffer(raw[-rows * 2048 * 4 :], np.float32).reshape(rows, 2048)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=8))
def test_each_gets_its_own_rows(model: ServedModel, sizes: list[int]) -> None:
    generator = np.random.default_rng(sum(sizes))
    arrays = [generator.random((rows, 512), dtype=np.float32) for rows in sizes]
    calls = [call(model, array) for array in arrays]
    run_together(model, calls)
    for one, array in zip(calls, arrays, strict=True):
        (expected,) = model.session.run({"x": array}, ["y"])
        np.testing.assert_allclose(answer(one, len(array)), expected, rtol=1e-4, atol=1e-3)


def test_a_bad_request_does_not_spoil_the_others(model: ServedModel) -> None:
    good = np.ones((1, 512), np.float32)
    calls = [call(model, good), call(model, np.ones((1, 511), np.float32)), call(model, good)]
    run_together(model, calls)
    assert calls[1].conclude().status == 400
    assert np.array_equal(answer(calls[0], 1), answer(calls[2], 1))


def test_runs_and_requests_are_counted(model: ServedModel) -> None:
    statistics = model.statistics
    statistics.settle()
    before = statistics.executions, statistics.success
    calls = [call(model, np.ones((1, 512), np.float32)) for _ in range(6)]
    run_together(model, calls)
    for one in calls:
        one.conclude()
    statistics.settle()
    assert (statistics.executions - before[0], statistics.success - before[1]) == (1, 6)
    (six,) = [count for count in statistics.batches if count.rows == 6]
    assert six.runs >= 1
    assert six.compute_infer > 0


def test_a_plan_is_used_again_with_other_values(model: ServedModel) -> None:
    for value in (1.0, 2.0):
        array = np.full((2, 512), value, np.float32)
        one = call(model, array)
        run_together(model, [one])
        (expected,) = model.session.run({"x": array}, ["y"])
        np.testing.assert_array_equal(answer(one, 2), expected)
    assert one.inference.plan is not None


def test_an_id_is_answered_whatever_came_before(model: ServedModel) -> None:
    array = np.ones((1, 512), np.float32)
    calls = [call(model, array, id=name) for name in ("first", "second")]
    run_together(model, calls)
    heads = [one.conclude().body for one in calls]
    assert b'"id":"first"' in heads[0]
    assert b'"id":"second"' in heads[1]


def test_rows_that_influence_each_other_are_found_out(tmp_path: Path) -> None:
    session = ModelSession(over_rows(tmp_path / "softmax.onnx"), 1)
    assert session.free_rows
    one = invented_feeds(session.inputs)
    other = _changed(one)
    assert not _independent(session, one, other, _joined([one, other]))
    assert rows_of_a_batch(session, [one]) == 1


def test_rows_that_do_not_are_not(model: ServedModel) -> None:
    one = invented_feeds(model.inputs)
    other = _changed(one)
    assert _independent(model.session, one, other, _joined([one, other]))


def test_a_fixed_first_axis_is_never_batched(tmp_path: Path) -> None:
    session = ModelSession(rig.slow(tmp_path / "slow.onnx", 1), 1)
    assert not session.free_rows
    assert rows_of_a_batch(session, [invented_feeds(session.inputs)]) == 1


@pytest.mark.slow
def test_many_clients_get_their_own_answers(tmp_path: Path) -> None:
    path = perceptron(tmp_path / "perceptron.onnx")
    weights = np.random.default_rng(0).standard_normal((512, 2048)).astype(np.float32)
    wrong: list[str] = []

    def ask(server: rig.ServerProcess, number: int) -> None:
        connection = server.connect()
        for turn in range(30):
            array = np.full((1, 512), number + turn / 100, np.float32)
            made = call(model, array)._exchange.request
            connection.request("POST", "/v2/models/perceptron/infer", made.body, made.headers)
            raw = connection.getresponse().read()
            found = np.frombuffer(raw[-8192:], np.float32)
            if not np.allclose(found, np.maximum(array @ weights, 0)[0], rtol=1e-3, atol=1e-2):
                wrong.append(f"client {number}, turn {turn}")
        connection.close()

    model = load(from_file(path), 1)
    with rig.ServerProcess(f"--model={path}", log=tmp_path / "log") as server:
        threads = [threading.Thread(target=ask, args=(server, n)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        status = server.get("/edgewright/status")[1]
    assert wrong == []
    assert (status["requests"], status["errors"]) == (240, 0)
