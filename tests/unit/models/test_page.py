"""The page with the interactive graph: it loads nothing, runs only its script, holds every part."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from studio.api import Graph, Model, Node, TensorType, Value
from studio.models.drawing.html import html
from studio.models.drawing.overlay import Overlay
from studio.models.drawing.page_data import BLOCKS, page_data
from tests.benchmarks.generated import transformer
from tests.unit.models import graphs

_KIND = TensorType("float32", (1,))


class _Elements(HTMLParser):
    """The content of each style and script, and every address."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.addresses: list[str] = []
        self.policy = ""
        self._in = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.addresses += [str(known[key]) for key in ("src", "href") if key in known]
        if known.get("http-equiv") == "Content-Security-Policy":
            self.policy = str(known["content"])
        self._in = str(known.get("id") or tag) if tag in ("script", "style") else ""

    def handle_endtag(self, tag: str) -> None:
        self._in = ""

    def handle_data(self, data: str) -> None:
        if self._in:
            self.texts[self._in] = self.texts.get(self._in, "") + data


def model(*nodes: Node, **more: Any) -> Model:
    return Model("onnx", graphs.graph(list(nodes)), **more)


def data_of(page: str) -> dict[str, Any]:
    found = json.loads(_Elements(page).texts["data"])
    assert isinstance(found, dict)
    return found


def test_it_loads_nothing_and_runs_only_its_own_script() -> None:
    found = _Elements(html("m", Model("onnx", graphs.relus(2))))
    assert found.addresses == []
    assert set(found.texts) == {"style", "script", "data"}
    for forbidden in ("http:", "https:", "url(", "import(", "fetch(", "innerHTML", "eval("):
        assert forbidden not in found.texts["script"]
    for kind in ("style", "script"):
        digest = base64.b64encode(hashlib.sha256(found.texts[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in found.policy
    assert "default-src 'none'" in found.policy
    assert "unsafe" not in found.policy


def test_names_of_a_model_stay_data() -> None:
    name = "</script><script>alert(1)</script>\0\x1b\ud800&\u2028"
    page = html(name, model(Node(name, "Relu", ("x",), ("y",), attributes={"a": name})))
    page.encode("utf-8")
    assert page.count("<script") == 2
    assert "alert(1)</" not in page.replace("&lt;/", "")
    assert data_of(page)["nodes"][0]["name"] == name


def test_boxes_edges_and_values_are_those_of_the_graph() -> None:
    graph = graphs.residual(3)
    painted = Overlay({graph.nodes[0].name: 4.5}, "Time", "ms")
    data = data_of(html("m", Model("onnx", graph), [painted], painted))
    part = data["parts"][""]
    assert len(part["x"]) == 1 + 12 + 1
    assert [part["titles"][box] for box in (0, 1)] == ["x", graph.nodes[0].operator]
    assert len(part["from"]) == len(part["to"]) == len(part["bends"])
    assert data["overlays"] == [{"title": "Time", "unit": "ms", "values": {"0": 4.5}}]
    assert (data["shown"], data["folded"]) == (0, "")
    assert data["home"] == [["", box] for box in range(1, 13)]


def test_blocks_are_parts_and_hold_what_their_nodes_hold() -> None:
    graph = transformer(300)
    values = Overlay({node.name: 1.0 for node in graph.nodes}, "Ones", "")
    data = page_data("m", Model("onnx", graph), [values], 0)
    top = data["parts"][BLOCKS]
    layers = [box for box, kind in enumerate(top["kind"]) if kind == "block"]
    assert [top["titles"][box] for box in layers] == [f"layer.{k}" for k in range(7)]
    assert top["texts"][layers[0]] == "×7 · 49 nodes"
    numbers = data["overlays"][0]["values"]
    assert [numbers[top["node"][box]] for box in layers] == [49.0] * 7
    for box in layers:
        (opened,) = top["opens"][box]
        assert data["parts"][opened]["around"] == BLOCKS
    # Every node is shown once among all nodes, and once among blocks.
    assert len(data["inner"]) == len(graph.nodes)
    for number, (path, box) in data["inner"].items():
        assert data["parts"][path]["node"][box] == number
        home, place = data["home"][number]
        assert data["parts"][home]["node"][place] == number


def test_branches_and_functions_are_parts() -> None:
    inner = Graph("b", (), (Value("d", _KIND),), (Node("deep", "Relu", ("x",), ("d",)),))
    outer = replace(inner, nodes=(Node("In/If", "If", ("x",), ("d",), blocks={"then": inner}),))
    branching = Node("Out", "If", ("x",), ("y",), blocks={"then": outer})
    data = page_data("m", model(branching, functions={"own:Twice": inner}), (), -1)
    assert set(data["parts"]) == {"", "Out/then", "Out/then/In/If/then", "own:Twice"}
    deep = data["parts"]["Out/then/In/If/then"]
    assert (deep["around"], deep["title"]) == ("Out/then", "If · then")
    assert data["parts"]["Out/then"]["opens"][0] == ["Out/then/In/If/then"]


@pytest.mark.parametrize("size", [70, 5_000])
def test_a_node_with_very_many_inputs_is_told_in_short(size: int) -> None:
    names = tuple(f"i{k}" for k in range(size))
    told = page_data("m", model(Node("n", "Concat", names, ("y",))), (), -1)["nodes"][0]
    assert told["inputs"][-1] == ["…", f"{size - 64} more"]
