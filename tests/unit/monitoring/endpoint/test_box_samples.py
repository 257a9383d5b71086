"""Uncertain requests of a detector: kept by what serves it, fetched, labelled and judged."""

from __future__ import annotations

import csv
import http.client
import itertools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.monitoring.endpoint.results import Agreement
from studio.workspace import Workspace
from tests.rigs.boards import until

pytestmark = pytest.mark.slow

_NUMBERS = itertools.count()


def make_detector(path: Path, beside: float = 0.0) -> Path:
    """Up to two boxes whose scores are the first two pixels, as a list after suppression.

    Args:
        beside: Pixels by which the boxes of this version lie elsewhere.
    """
    constants = {
        "boxes": np.float32([[1, 1, 3, 3], [4, 4, 7, 7]]) + np.float32(beside),
        "classes": np.float32([[0], [1]]),
        "from": np.int64([0, 0, 0, 0]),
        "to": np.int64([1, 1, 1, 2]),
        "form": np.int64([2, 1]),
        "line": np.int64([2]),
        "least": np.float32(0.1),
    }
    nodes = [
        helper.make_node("Slice", ["image", "from", "to"], ["two"]),
        helper.make_node("Reshape", ["two", "form"], ["scores"]),
        helper.make_node("Concat", ["boxes", "scores", "classes"], ["both"], axis=1),
        helper.make_node("Reshape", ["two", "line"], ["likely"]),
        helper.make_node("Greater", ["likely", "least"], ["found"]),
        helper.make_node("Compress", ["both", "found"], ["rows"], axis=0),
    ]
    graph = helper.make_graph(
        nodes,
        "detector",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 1, 8, 8])],
        [helper.make_tensor_value_info("rows", TensorProto.FLOAT, ["boxes", 6])],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)
    return path


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened
        opened.run("undeploy", target="local", purge=True)


def ask(endpoint: str, name: str, scores: tuple[float, float]) -> None:
    picture = np.zeros((1, 1, 8, 8), np.float32)
    picture[0, 0, 0, :2] = scores
    picture[0, 0, 7, 7] = next(_NUMBERS)  # no two requests are the same
    tensor = {"name": "image", "shape": [1, 1, 8, 8], "datatype": "FP32"}
    body = {"id": name, "inputs": [{**tensor, "data": picture.reshape(-1).tolist()}]}
    parts = urlsplit(endpoint)
    link = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    link.request("POST", "/v2/models/detector/infer", json.dumps(body))
    answer = link.getresponse()
    assert answer.status == 200, answer.read()
    link.close()


def test_from_requests_to_labels(workspace: Workspace, tmp_path: Path) -> None:
    model = str(make_detector(tmp_path / "detector.onnx"))
    done = workspace.run("deploy", model=model, soak_s=0, keep_samples=2)
    assert done.ok, done.sentence
    endpoint = done.document["endpoint"]

    def kept() -> int:
        told = workspace.run("monitor").result.samples
        assert told is None or not told.fault
        return told.looked or 0 if told else 0

    asked = {"sure": (0.97, 0.99), "cam/torn": (0.95, 0.45), "faint": (0.34, 0.02)}
    for number, (name, scores) in enumerate(asked.items(), 1):

        def seen(name: str = name, scores: tuple[float, float] = scores, n: int = number) -> bool:
            ask(endpoint, name, scores)
            return kept() >= n

        until(seen, f"{name} was looked at", 30.0)
        time.sleep(1.2)  # one a second is kept at most

    folder = tmp_path / "uncertain"
    assert workspace.run("monitor", samples=str(folder), delete_samples=True).ok
    lines = (folder / "answers.csv").read_text().splitlines()
    rows = {row["id"]: row for row in csv.DictReader(lines)}
    assert "sure" not in rows
    assert rows["cam/torn"]["answer"] == "0 1 1 3 3; 1 4 4 7 7"
    assert rows["faint"]["answer"] == "0 1 1 3 3"

    # Somebody corrects the answers: there is a second thing on the faint picture, too.
    with (folder / "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["cam%2Ftorn.npz", rows["cam/torn"]["answer"]])
        writer.writerow(["faint.npz", "0 1 1 3 3; 1 4 4 7 7"])
    judged = workspace.run("evaluate", model=model, data=str(folder), metric="box-f1")
    assert judged.ok, judged.sentence
    # Three of the four boxes have a score of .3 or more.
    assert judged.result.metric.value == pytest.approx(2 * 3 / (3 + 4))

    # A server remembers classes, and says that these labels belong to none.
    told = workspace.run("monitor", labels=str(folder / "labels.csv"))
    assert told.ok, told.sentence
    assert told.result.labels.unmatched == 2
    assert not told.result.labels.matched
    assert "an answer that is no class" in told.result.labels.note


def test_two_versions_are_compared_by_their_boxes(workspace: Workspace, tmp_path: Path) -> None:
    """Each answer has another number of boxes; the second version's lie a little beside."""
    numbers = itertools.count()
    for number, beside in enumerate((0.0, 0.2, 2.0)):
        model = str(make_detector(tmp_path / "detector.onnx", beside))
        done = workspace.run("deploy", model=model, soak_s=0, shadow_cpu=20 if number else 0)
        assert done.ok, done.sentence
        if not number:
            continue

        def enough(endpoint: str = done.document["endpoint"]) -> bool:
            for first, second in ((0.9, 0.8), (0.9, 0.02), (0.0, 0.7)):
                little = next(numbers) * 1e-4  # requests that are the same count once
                ask(endpoint, "x", (first + little, second))
            return compared(workspace).compared >= 10

        until(enough, "comparisons", 60.0)
        told = compared(workspace)
        assert told.agreed == (told.compared if beside < 1 else 0)


def compared(workspace: Workspace) -> Agreement:
    told: Agreement = workspace.run("monitor").result.mirror or Agreement()
    assert not told.fault
    return told
