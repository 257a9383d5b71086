"""Tables of RKNN-Toolkit2 2.5.0, recorded from digits in 8 bits and PP-OCRv5 rec and shortened."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

TOOL = Path(__file__).parents[2] / "plugins" / "studio_rockchip" / "tool_table.py"
LOGS = Path(__file__).parent / "data" / "rockchip"


class Node(NamedTuple):
    """A node as the tool hands it over."""

    name: str
    operator: str
    outputs: tuple[str, ...]


DIGITS = (
    Node("conv1", "Conv", ("c1",)),
    Node("conv2", "Conv", ("c2",)),
    Node("pool", "MaxPool", ("pooled",)),
    Node("features_QuantizeLinear", "QuantizeLinear", ("fq",)),
    Node("dense", "Gemm", ("logits",)),
)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Any:
    about = importlib.util.spec_from_file_location("rknn_table", TOOL)
    assert about is not None
    assert about.loader is not None
    made = importlib.util.module_from_spec(about)
    monkeypatch.setitem(sys.modules, about.name, made)
    about.loader.exec_module(made)
    return made


def log(name: str) -> str:
    return (LOGS / f"{name}.log").read_text()


def test_layers_have_their_type_place_and_cycles(table: Any) -> None:
    rows = table.layers(log("digits-int8"))
    assert [row.name for row in rows] == [
        "conv1",
        "conv2",
        "pool",
        "features_QuantizeLinear",
        "features_rs",
        "features_DequantizeLinear",
        "dense#2",
        "logits_mm_tp_rs",
    ]
    assert rows[1] == ("ConvRelu", "INT8", True, 1152, "conv2")
    assert rows[-1] == ("Reshape", "FLOAT16", False, 0, "logits_mm_tp_rs")


def test_the_last_of_several_tables_counts(table: Any) -> None:
    text = log("rec") + log("digits-int8")
    assert table.layers(text) == table.layers(log("digits-int8"))


def test_figures_are_of_memory_and_cycles(table: Any) -> None:
    rows = table.layers(log("digits-int8"))
    assert table.figures(log("digits-int8"), rows) == {
        "dram_bytes": 6272.0,
        "parameter_bytes": 46528.0,
        "npu_cycles": 2685.0,
    }


def test_layers_that_the_compiler_adds_are_no_nodes(table: Any) -> None:
    found = table.placement(DIGITS, table.layers(log("digits-int8")))
    assert found.nodes == []
    assert found.added == ["Reshape (of dense)"]
    assert found.half == ["dense"]


def test_the_longest_name_owns_a_layer(table: Any) -> None:
    nodes = (
        Node("MatMul.1", "MatMul", ("a",)),
        Node("MatMul.12", "MatMul", ("p2o.pd_op.matmul.12.0",)),
        Node("Conv.0", "Conv", ("b",)),
    )
    found = table.placement(nodes, table.layers(log("rec")))
    assert found.added == ["Transpose (of MatMul.12)"]
    assert found.nodes == []
    assert found.half == ["Conv.0", "MatMul.12"]


def test_a_node_on_the_processor_is_refused(table: Any) -> None:
    text = log("digits-int8").replace("MaxPool            INT8     NPU", "MaxPool INT8 CPU")
    found = table.placement(DIGITS, table.layers(text))
    assert [(row["name"], row["on_chip"]) for row in found.nodes] == [
        ("conv1", True),
        ("conv2", True),
        ("pool", False),
        ("features_QuantizeLinear", True),
        ("dense", True),
    ]
    assert found.nodes[2]["reason"] == "RKNN-Toolkit2 leaves it to the processor"
    assert found.nodes[0]["reason"] == ""


@pytest.mark.parametrize("text", ["", "0 InputOperator", "1 A B C D E 1/1/1 2 :", "\0" * 5000])
def test_other_text_has_no_layers(table: Any, text: str) -> None:
    assert table.layers(text) == []


@pytest.mark.parametrize("name", ["_" * 1_000_000, "a" + " " * 1_000_000 + "b\t"])
def test_a_row_with_an_endless_name_is_left_out(table: Any, name: str) -> None:
    """To look for its owner would take hours."""
    row = "1    Conv   INT8  NPU  (1)  (1)  1/1/1  0  Conv:"
    assert [layer.name for layer in table.layers(f"{row}short\n{row}{name}\n")] == ["short"]
