"""Figures of constants, and the edits of plugins as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Extension, Transform
from studio.models.details import operator, statistics, values
from studio.models.surgery.edits import edit_titles, from_json, offered, parse, write
from studio.models.surgery.record import edited
from studio.models.surgery.work import edit
from studio.plugin_host import PluginHost
from studio.registry import ModelRef, Registry
from tests.unit.models.test_steps import FakeJob, open_path, registry, small

__all__ = ["open_path", "registry"]

HOST = PluginHost.discover()


def test_figures() -> None:
    found = statistics(numpy.array([0, 1, 3, numpy.nan, -numpy.inf], numpy.float32))
    assert (found["min"], found["max"], found["not_finite"], found["zeros"]) == (0, 3, 2, 0.2)
    assert found["mean"] == pytest.approx(4 / 3)
    assert sum(found["histogram"]) == 3
    assert found["preview"] == [0.0, 1.0, 3.0, "nan", "-inf"]
    json.dumps(found, allow_nan=False)


@pytest.mark.parametrize("array", [numpy.zeros(0), numpy.full(3, numpy.nan)])
def test_nothing_to_count(array: numpy.ndarray[Any, Any]) -> None:
    assert statistics(array)["histogram"] == []


def test_wide_numbers_do_not_overflow() -> None:
    found = statistics(numpy.full(70_000, 250, numpy.uint8))
    assert (found["mean"], found["std"]) == (250, 0)


def test_values_and_operator_of_a_model(tmp_path: Path) -> None:
    model = {"path": str(small(tmp_path / "m.onnx")), "format": "onnx"}
    job = FakeJob(tmp_path / "job")
    found = values({"model": model, "name": "w"}, job)
    assert (found["read"], found["min"], found["max"]) == (256, 1, 1)
    text = operator({"model": model, "operator": "MatMul", "version": 13}, job)
    assert (text["since"], bool(text["text"])) == (13, True)
    unknown = operator({"model": model, "operator": "mine:Twice", "version": 1}, job)
    assert unknown == {"operator": "Twice", "domain": "mine", "text": ""}


def test_offered_edits_are_those_of_the_plugins(tmp_path: Path) -> None:
    result = offered({"model": {"format": "onnx"}}, FakeJob(tmp_path / "job"))
    rows = json.loads(json.dumps(result))["edits"]
    assert [row["id"] for row in rows] == list(edit_titles(HOST, "onnx"))
    for row in rows:
        transform: Transform = HOST.get(Extension.TRANSFORM, row["id"])
        assert [from_json(option) for option in row["options"]] == list(transform.options)


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("rename", {"names": ["a b=c", "x='y'"]}),
        ("extract", {"start": ["a", "b c"], "end": ["d"]}),
        ("opset", {"version": 19}),
        ("dimensions", {"sizes": ["x=1,3,224,224", "N=2"]}),
        ("prune", {}),
    ],
)
def test_edits_are_read_as_they_were_written(name: str, given: dict[str, Any]) -> None:
    transform: Transform = HOST.get(Extension.TRANSFORM, name)
    text = write(name, transform.options, given)
    (found,) = parse([text], HOST, "onnx")
    assert {key: value for key, value in found.options.items() if value is not None} == given


def test_edits_that_are_only_tried_leave_nothing(
    tmp_path: Path, registry: Registry, open_path: Any
) -> None:
    opened = open_path(small(tmp_path / "models" / "m.onnx"))
    reference = ModelRef.of(registry.variant(opened["variant"])).to_json()
    arguments = {"model": reference, "edit": ["rename x=image"], "check": True}
    job = FakeJob(tmp_path / "edit")
    result = edited(registry, arguments, edit(arguments, job), job.folder)
    assert (result["kept"], result["edits"][0]["equality"]["samples"]) == (False, 3)
    assert len(registry.variants()) == 1
