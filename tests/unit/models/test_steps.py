"""The steps open, inspect and graph: work with real files, record with a real registry."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.api import Cancelled, InvalidModel, UsageError
from studio.documents.dataclass_json import to_json
from studio.models import work
from studio.models.drawing import work as drawing_work
from studio.models.graphfile import read
from studio.models.record import drawn, opened
from studio.models.results import OpenResult
from studio.models.step import GraphOptions, InspectOptions, OpenOptions
from studio.registry import ModelRef, Registry
from tests.rigs.model_refs import model_ref

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"
CONTRACT = {"format", "nodes", "parameters", "macs", "opset", "inputs", "outputs", "intake"}


class FakeJob:
    """A job that nobody watches, in its own folder."""

    def __init__(self, folder: Path, cancel_after: int = 10**9) -> None:
        self.folder = folder
        self.folder.mkdir()
        self.lines: list[str] = []
        self._left = cancel_after

    def progress(self, done: float, total: float, text: str = "") -> None:
        self.check()

    def check(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Cancelled

    def log(self, text: str) -> None:
        self.lines.append(text)

    def event(self, name: str, **values: Any) -> None:
        """Do nothing."""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    registry = Registry.open(tmp_path / "registry")
    yield registry
    registry.close()
    for folder, _, _ in os.walk(tmp_path):
        os.chmod(folder, 0o700)


@pytest.fixture
def open_path(tmp_path: Path, registry: Registry) -> Callable[..., OpenResult]:
    numbers = itertools.count()

    def run(path: Path, name: str | None = None) -> OpenResult:
        job = FakeJob(tmp_path / f"job{next(numbers)}")
        options = OpenOptions(path, name)
        return opened(registry, options, work.open_model(options, job), job.folder)

    return run


def small(path: Path, external: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    weight = numpy_helper.from_array(numpy.ones((64, 4), numpy.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], "product")],
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    if external:
        onnx.save(model, path, save_as_external_data=True, location="w.bin", size_threshold=0)
    else:
        onnx.save(model, path)
    return path


def test_open_keeps_model_graph_and_summary(
    open_path: Callable[..., OpenResult], registry: Registry, tmp_path: Path
) -> None:
    path = small(tmp_path / "tiny.onnx")
    result = open_path(path)
    assert set(to_json(result)) >= CONTRACT
    variant = registry.variant(result.variant)
    assert (variant.model_name, variant.name, variant.precision) == ("tiny", "fp32", "fp32")
    assert variant.path.read_bytes() == path.read_bytes()
    assert variant.summary["macs"] == 64 * 4
    assert variant.summary["assumed_shapes"] == {"x": [1, 64]}
    assert variant.graph_path is not None
    model, layout = read(variant.graph_path)
    assert [node.name for node in model.graph.nodes] == ["product"]
    assert len(layout.x) == 3


def test_open_again_gives_the_known_variant(
    open_path: Callable[..., OpenResult], registry: Registry, tmp_path: Path
) -> None:
    first = open_path(small(tmp_path / "a.onnx"))
    second = open_path(small(tmp_path / "other" / "b.onnx"))
    assert second.variant == first.variant
    assert second.name == "a"
    assert len(registry.variants()) == 1


def test_open_copies_external_data_along(
    open_path: Callable[..., OpenResult], registry: Registry, tmp_path: Path
) -> None:
    path = small(tmp_path / "split" / "m.onnx", external=True)
    assert (path.parent / "w.bin").stat().st_size == 1024
    variant = registry.variant(open_path(path).variant)
    assert variant.path.parent != path.parent
    weights = onnx.load(variant.path).graph.initializer[0]
    assert numpy_helper.to_array(weights).sum() == 256


def test_external_data_behind_a_link_in_the_folder_becomes_a_plain_file(
    open_path: Callable[..., OpenResult], registry: Registry, tmp_path: Path
) -> None:
    path = small(tmp_path / "split" / "m.onnx", external=True)
    (path.parent / "real").mkdir()
    (path.parent / "w.bin").rename(path.parent / "real" / "w.bin")
    (path.parent / "w.bin").symlink_to("real/w.bin")
    variant = registry.variant(open_path(path).variant)
    assert not (variant.path.parent / "w.bin").is_symlink()
    weights = onnx.load(variant.path).graph.initializer[0]
    assert numpy_helper.to_array(weights).sum() == 256


def test_models_beyond_the_copy_limit_stay_where_they_are(
    open_path: Callable[..., OpenResult],
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "_LARGEST_COPY", 100)
    path = small(tmp_path / "large.onnx")
    first, second = open_path(path), open_path(path)
    assert registry.variant(first.variant).path == path
    assert first.variant == second.variant


def test_large_models_that_differ_in_their_weights_are_two(
    open_path: Callable[..., OpenResult],
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work, "_LARGEST_COPY", 100)
    first, second = (
        open_path(small(tmp_path / name / "m.onnx", external=True)) for name in ("one", "two")
    )
    assert first.variant != second.variant


def test_names(open_path: Callable[..., OpenResult], tmp_path: Path) -> None:
    assert open_path(small(tmp_path / "resnet" / "model.onnx"), name=None).name == "resnet"
    light = LIGHT / "light_squeezenet.onnx"
    assert open_path(light, name="squeeze").name == "squeeze"


def test_inspect_a_real_network(tmp_path: Path) -> None:
    """ResNet-50 has 4.1 GMACs (convolutions and the last layer) by its paper's table."""
    job = FakeJob(tmp_path / "job")
    result = work.inspect_model(InspectOptions(LIGHT / "light_resnet50.onnx"), job)
    assert set(to_json(result)) >= CONTRACT
    assert result.nodes == 415
    assert result.macs == pytest.approx(4.1e9, rel=0.03)
    assert result.macs_unknown == 0
    assert not list(job.folder.iterdir())


def test_given_shape_changes_the_work(tmp_path: Path) -> None:
    path = small(tmp_path / "m.onnx")
    job = FakeJob(tmp_path / "job")
    result = work.inspect_model(InspectOptions(path, ("x=10,64",)), job)
    assert result.macs == 10 * 64 * 4
    assert result.assumed_shapes == {}


def test_bad_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path = tmp_path / "bad.onnx"
    path.write_bytes(b"")
    job = FakeJob(tmp_path / "job")
    with pytest.raises(InvalidModel, match="is empty"):
        work.open_model(OpenOptions(path), job)
    assert not list(job.folder.iterdir())


def test_findings_of_level_error_refuse(tmp_path: Path) -> None:
    node = helper.make_node("Add", ["x", "ghost"], ["y"])
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    path = tmp_path / "m.onnx"
    onnx.save(helper.make_model(helper.make_graph([node], "g", [value], [output])), path)
    with pytest.raises(InvalidModel, match="'ghost' is read, but nothing produces it"):
        work.inspect_model(InspectOptions(path), FakeJob(tmp_path / "job"))


def test_a_file_of_no_known_format(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("nothing")
    with pytest.raises(InvalidModel, match="known format"):
        work.inspect_model(InspectOptions(path), FakeJob(tmp_path / "job"))


@pytest.mark.parametrize("points", range(5))
def test_cancelled_at_any_point(tmp_path: Path, points: int) -> None:
    path = small(tmp_path / "m.onnx")
    with pytest.raises(Cancelled):
        work.open_model(OpenOptions(path), FakeJob(tmp_path / "job", cancel_after=points))


@pytest.mark.parametrize("suffix", [".svg", ".html", ".png"])
def test_draw(
    open_path: Callable[..., OpenResult], registry: Registry, tmp_path: Path, suffix: str
) -> None:
    variant = registry.variant(open_path(small(tmp_path / "m.onnx")).variant)
    out = tmp_path / f"drawing{suffix}"
    options = GraphOptions(ModelRef.of(variant), out, cost="macs")
    job = FakeJob(tmp_path / "job")
    result = drawn(registry, options, drawing_work.draw(options, job), job.folder)
    assert result.output == str(out)
    assert (result.nodes, result.edges) == (1, 2)
    if suffix == ".svg":
        assert "256 MACs" in out.read_text()
    elif suffix == ".html":
        assert '"title":"Work","unit":"MACs","values":{"0":256.0}' in out.read_text()


def test_draw_into_another_kind_of_file(tmp_path: Path) -> None:
    options = GraphOptions(model_ref(small(tmp_path / "m.onnx")), Path("graph.pdf"))
    with pytest.raises(UsageError, match=r"not as graph\.pdf"):
        drawing_work.draw(options, FakeJob(tmp_path / "job"))
