"""The step analyze, and drawings painted by an analyzer's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from studio.api import Graph, Node, Unavailable, UsageError
from studio.models import analysis
from studio.models.analysis import FileConstants, analyze
from studio.models.drawing import work as drawing_work
from studio.models.drawing.overlay import Overlay, on_nodes
from studio.models.step import ANALYZE, AnalyzeOptions, GraphOptions
from studio.models.walk import BLOCK_DOMAIN, INSIDE
from studio.plugin_host import PluginHost
from studio.settings import resource
from studio.steps.catalogue import step
from tests.rigs.bundles import QuietJob
from tests.rigs.model_refs import model_ref
from tests.unit.models.graphs import graph as make_graph

DIGITS = resource("samples", "digits", "digits.onnx")
MODEL = model_ref(DIGITS, name="digits")


class Inputs:
    """An analyzer of the first version of the API: it sees the graph alone."""

    id = "inputs"
    title = "Inputs of a node"
    unit = "values"

    def analyze(self, graph: Graph) -> Mapping[str, float]:
        numbers = {one.name: float(len(one.inputs)) for one in graph.nodes}
        return {**numbers, "nobody": 1.0, graph.nodes[0].name: float("nan")}


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PluginHost, "get", _get)


def _get(host: PluginHost, extension: Any, identifier: str) -> Any:
    made: Any = (
        Inputs() if identifier == "inputs" else host.create(host.find(extension, identifier))
    )
    return made


def test_weights_are_read_for_an_analyzer_that_asks_for_them(tmp_path: Path) -> None:
    found = analyze(AnalyzeOptions(MODEL, "sparsity"), QuietJob(tmp_path))
    assert (found.analyzer, found.title, found.unit) == (
        "sparsity",
        "Sparsity of weights",
        "%",
    )
    assert set(found.values) == {"conv1", "conv2", "dense"}
    assert all(0 <= value <= 100 for value in found.values.values())


@pytest.mark.usefixtures("plain")
def test_only_finite_numbers_of_nodes_that_exist_are_kept(tmp_path: Path) -> None:
    found = analyze(AnalyzeOptions(MODEL, "inputs"), QuietJob(tmp_path))
    assert found.unit == "values"
    assert "nobody" not in found.values
    assert "conv1" not in found.values
    assert found.values["conv2"] == 3.0


def test_an_analyzer_that_nobody_offers_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="Unknown analyzer 'nothing'") as caught:
        analyze(AnalyzeOptions(MODEL, "nothing"), QuietJob(tmp_path))
    assert "sparsity" in caught.value.hint


def test_a_format_without_values_says_so(tmp_path: Path) -> None:
    class Mute:
        """A format that tells the graph alone."""

        title = "Mute"

    constants = FileConstants(Mute(), tmp_path, QuietJob(tmp_path / "job"))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="Mute contains the graph only"):
        constants.read("w", 1)


def test_it_is_pure_and_not_in_the_history() -> None:
    assert ANALYZE.is_cached
    assert not ANALYZE.in_history
    assert step("analyze").needs == frozenset(), "it runs in the sandbox"
    assert step("analyze").work == f"{analysis.__name__}:{analyze.__name__}"


@pytest.mark.parametrize("name", ["graph.svg", "graph.html"])
def test_a_drawing_is_painted_by_an_analyzer(tmp_path: Path, name: str) -> None:
    options = GraphOptions(MODEL, tmp_path / name, analyzer="sparsity")
    job = QuietJob(tmp_path / "job")
    made = drawing_work.draw(options, job)
    text = (job.folder / made.output).read_text("utf-8")
    assert "Sparsity of weights" in text
    plain = QuietJob(tmp_path / "plain")
    drawing_work.draw(GraphOptions(MODEL, tmp_path / name), plain)
    assert "Sparsity" not in (plain.folder / made.output).read_text("utf-8")


@pytest.mark.parametrize(("unit", "value"), [("ms", 7.0), ("%", 5.0), ("dB", 5.0)])
def test_a_block_has_the_sum_or_of_shares_the_largest(unit: str, value: float) -> None:
    inner = make_graph([Node("a", "Relu", ("x",), ("b",)), Node("c", "Relu", ("b",), ("y",))])
    block = Node("block", "Block", ("x",), ("y",), BLOCK_DOMAIN, blocks={INSIDE: inner})
    painted = on_nodes(Overlay({"a": 2.0, "c": 5.0}, "t", unit), make_graph([block]))
    assert painted.values == {"0": value}
