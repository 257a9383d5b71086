"""The preview of a large model: early, the picture that stays, none where it would not help."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.api import Cancelled, InvalidModel
from studio.models import work
from studio.models.folding import folded, outline
from studio.models.graphfile import read
from studio.models.layout import lay_out
from studio.models.preview import SHOWN_FROM, write_preview
from studio.models.step import PREVIEW
from tests.benchmarks.generated import inception, transformer, write_onnx
from tests.unit.models import graphs


class WatchedJob:
    """A job that keeps the order of what it was told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told: list[str] = []
        self.shown: list[str] = []

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.told.append(text)

    def check(self) -> None:
        """Never cancelled."""

    def log(self, text: str) -> None:
        """Nobody reads it."""

    def event(self, name: str, /, **values: Any) -> None:
        self.told.append(name)
        model, layout = read(Path(values["path"]))
        assert len(layout.x) == len(model.graph.nodes) + 3
        self.shown = [node.operator for node in model.graph.nodes]


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
    work.open_model({"model": str(tmp_path / "m.onnx"), "name": None, "shape": None}, job)
    assert job.told[:3] == ["Looking at m.onnx", PREVIEW, "Reading the graph"]
    assert job.shown[:2] == ["layer.0", "layer.1"]


def test_what_the_intake_refuses_is_refused_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "m.onnx").write_bytes(b"\x08\x07\x12\x00")
    with pytest.raises(InvalidModel, match="no graph"):
        work.open_model({"model": str(tmp_path / "m.onnx"), "shape": None}, WatchedJob(tmp_path))


def test_a_cancelled_job_is_not_shown(tmp_path: Path) -> None:
    write_onnx(transformer(SHOWN_FROM), tmp_path / "m.onnx")
    job = WatchedJob(tmp_path)
    job.check = _cancel  # type: ignore[method-assign]
    with pytest.raises(Cancelled):
        work.open_model({"model": str(tmp_path / "m.onnx"), "shape": None}, job)
    assert PREVIEW not in job.told


def _cancel() -> None:
    raise Cancelled
