"""The preview of a large model: early, the picture that stays, none where it would not help."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import Cancelled, InvalidModel, Silent
from studio.models import opening, work
from studio.models.blocks import folded, outline
from studio.models.graphfile import read, read_all
from studio.models.layout import graph_writer, lay_out
from studio.models.results import GRAPH_FILE
from studio.models.step import DRAWN, PREVIEW, OpenOptions
from studio.models.work import SHOWN_FROM, write_preview
from tests.benchmarks.generated import inception, transformer, write_onnx
from tests.unit.models import graphs


class WatchedJob:
    """A job that keeps the order of what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.terminals = 3
        self.shown: dict[str, list[str]] = {}

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.told.append(text)

    def check(self) -> None:
        """Never cancelled."""

    def log(self, text: str) -> None:
        """Nobody reads it."""

    def event(self, name: str, /, **values: Any) -> None:
        self.told.append(name)
        model, layout = read(Path(values["path"]))
        assert len(layout.x) == len(model.graph.nodes) + self.terminals
        assert not model.graph.values
        self.shown[name] = [node.operator for node in model.graph.nodes]


@pytest.mark.parametrize("make", [transformer, inception])
def test_the_preview_is_the_picture_that_stays(make: Any, tmp_path: Path) -> None:
    graph = make(SHOWN_FROM)
    path = write_preview(graphs.model(graph), tmp_path)
    assert path is not None
    model, layout = read(path)
    outermost = folded(graph, outline(graph))
    assert [node.name for node in model.graph.nodes] == [node.name for node in outermost.nodes]
    assert not any(node.blocks for node in model.graph.nodes)
    assert layout == lay_out(outermost)


def test_none_for_a_small_graph_or_one_without_blocks(tmp_path: Path) -> None:
    assert write_preview(graphs.model(transformer(SHOWN_FROM - 100)), tmp_path) is None
    assert write_preview(graphs.model(graphs.tangled(SHOWN_FROM)), tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_a_large_model_is_shown_before_it_has_passed_its_intake(tmp_path: Path) -> None:
    write_onnx(transformer(SHOWN_FROM), tmp_path / "m.onnx")
    job = WatchedJob(tmp_path)
    work.open_model(OpenOptions(tmp_path / "m.onnx"), job)
    assert job.told[:3] == ["Looking at m.onnx", PREVIEW, "Reading the graph"]
    assert job.shown[PREVIEW][:2] == ["layer.0", "layer.1"]


def test_all_nodes_are_shown_when_the_intake_has_passed(tmp_path: Path) -> None:
    graph = transformer(SHOWN_FROM)
    write_onnx(graph, tmp_path / "m.onnx")
    job = WatchedJob(tmp_path)
    work.open_model(OpenOptions(tmp_path / "m.onnx"), job)
    assert job.told.index("Reading the graph") < job.told.index(DRAWN)
    assert job.shown[DRAWN] == [node.operator for node in graph.nodes]
    whole = read_all(tmp_path / GRAPH_FILE)
    assert whole.model.graph.values
    assert whole.macs
    assert whole.layout == lay_out(whole.model.graph)


def test_nothing_but_the_preview_is_shown_of_what_the_intake_refuses(tmp_path: Path) -> None:
    graph = transformer(SHOWN_FROM)
    write_onnx(replace(graph, outputs=()), tmp_path / "m.onnx")
    job = WatchedJob(tmp_path)
    job.terminals = 2
    with pytest.raises(InvalidModel, match="no output"):
        work.open_model(OpenOptions(tmp_path / "m.onnx"), job)
    assert DRAWN not in job.told


def test_an_output_whose_type_is_inferred_is_laid_out_with_it(tmp_path: Path) -> None:
    graph = transformer(SHOWN_FROM)
    untyped = tuple(replace(one, type=None) for one in graph.outputs)
    drawn = graphs.model(replace(graph, outputs=untyped, values={}))
    opened = opening.OpenedModel(tmp_path, (), (), graphs.model(graph), graphs.model(graph), {})
    writer = graph_writer.GraphWriter(tmp_path)
    writer.draw(drawn)
    writer.finish(opened, Silent())
    whole = read_all(tmp_path / GRAPH_FILE)
    assert whole.model.graph.outputs == graph.outputs
    assert whole.layout == lay_out(graph)


def test_what_the_intake_refuses_is_refused_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"\x08\x07\x12\x00")
    with pytest.raises(InvalidModel, match="no graph"):
        work.open_model(OpenOptions(tmp_path / "m.onnx"), WatchedJob(tmp_path))


def test_a_cancelled_job_is_not_shown(tmp_path: Path) -> None:
    write_onnx(transformer(SHOWN_FROM), tmp_path / "m.onnx")
    job = WatchedJob(tmp_path)
    job.check = _cancel  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        work.open_model(OpenOptions(tmp_path / "m.onnx"), job)
    assert PREVIEW not in job.told


def _cancel() -> None:
    raise Cancelled
