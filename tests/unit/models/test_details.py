"""Figures of constants, and the edits of plugins as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy
import pytest

from studio.api import Extension, Transform
from studio.documents.dataclass_json import from_json, to_json
from studio.models.details import operator, statistics, values
from studio.models.step import OperatorOptions, ValuesOptions
from studio.models.surgery.edits import edit_titles, offered, parse, write
from studio.models.surgery.record import edited
from studio.models.surgery.results import EditsResult
from studio.models.surgery.step import EditOptions, EditsOptions
from studio.models.surgery.work import edit
from studio.plugin_host import PluginHost
from studio.registry import ModelRef, Registry
from tests.rigs.model_refs import model_ref
from tests.unit.models.test_steps import FakeJob, open_path, registry, small

__all__ = ["open_path", "registry"]

HOST = PluginHost.discover()


def test_figures() -> None:
    found = statistics("w", numpy.array([0, 1, 3, numpy.nan, -numpy.inf], numpy.float32))
    assert (found.min, found.max, found.not_finite, found.zeros) == (0, 3, 2, 0.2)
    assert found.mean == pytest.approx(4 / 3)
    assert sum(found.histogram) == 3
    assert found.preview == (0.0, 1.0, 3.0, "nan", "-inf")
    json.dumps(to_json(found), allow_nan=False)


@pytest.mark.parametrize("array", [numpy.zeros(0), numpy.full(3, numpy.nan)])
def test_nothing_to_count(array: numpy.ndarray[Any, Any]) -> None:
    found = statistics("w", array)
    assert (found.histogram, found.edges) == ((), None)
    assert "mean" not in to_json(found)


def test_wide_numbers_do_not_overflow() -> None:
    found = statistics("w", numpy.full(70_000, 250, numpy.uint8))
    assert (found.mean, found.std) == (250, 0)


def test_values_and_operator_of_a_model(tmp_path: Path) -> None:
    model = model_ref(small(tmp_path / "m.onnx"))
    job = FakeJob(tmp_path / "job")
    found = values(ValuesOptions(model, "w"), job)
    assert (found.read, found.min, found.max) == (256, 1, 1)
    text = operator(OperatorOptions(model, "MatMul", 13), job)
    assert (text.since, bool(text.text)) == (13, True)
    unknown = operator(OperatorOptions(model, "mine:Twice", 1), job)
    assert (unknown.operator, unknown.domain, unknown.text) == ("Twice", "mine", "")


def test_offered_edits_are_those_of_the_plugins(tmp_path: Path) -> None:
    result = offered(EditsOptions(model_ref("m.onnx")), FakeJob(tmp_path / "job"))
    edits = from_json(EditsResult, json.loads(json.dumps(to_json(result)))).edits
    assert [edit.id for edit in edits] == list(edit_titles(HOST, "onnx"))
    for one in edits:
        transform: Transform = HOST.get(Extension.TRANSFORM, one.id)
        assert one.options == tuple(transform.options)


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
    reference = ModelRef.of(registry.variant(opened.variant))
    options = EditOptions(reference, ("rename x=image",), check=True)
    job = FakeJob(tmp_path / "edit")
    result = edited(registry, options, edit(options, job), job.folder)
    assert result.edits[0].equality is not None
    assert (result.kept, result.edits[0].equality.samples) == (False, 3)
    assert list(to_json(result)) == ["nodes", "edits", "bytes", "kept"]
    assert len(registry.variants()) == 1
