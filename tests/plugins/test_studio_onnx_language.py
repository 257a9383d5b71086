"""ONNX models of onnxruntime-genai: packed weights, caches, operators of the runtime."""

from __future__ import annotations

import json
from pathlib import Path

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from studio.models.opening import read_model

WIDTH, WORDS, BLOCK, HEADS, SIZE = 64, 96, 32, 4, 16
ROWS = ("batch_size", "sequence_length", WIDTH)


def value(name: str, kind: int, shape: tuple[int | str, ...]) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def packed(name: str, rows: int) -> list[onnx.TensorProto]:
    """Return weights of 4 bits with their scales and zero points."""
    blocks = WIDTH // BLOCK
    return [
        numpy_helper.from_array(numpy.zeros((rows, blocks, BLOCK // 2), "uint8"), name),
        numpy_helper.from_array(numpy.zeros(rows * blocks, "float32"), f"{name}.scales"),
        numpy_helper.from_array(numpy.zeros(rows * blocks // 2, "uint8"), f"{name}.zeros"),
    ]


def product(name: str, source: str, rows: int, output: str) -> onnx.NodeProto:
    inputs = [source, name, f"{name}.scales", f"{name}.zeros"]
    sizes = {"K": WIDTH, "N": rows, "bits": 4, "block_size": BLOCK}
    return helper.make_node("MatMulNBits", inputs, [output], name, domain="com.microsoft", **sizes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cache = ("batch_size", HEADS, "past_sequence_length", "kv_cache_dim")
    whole = ("batch_size", HEADS, "total_sequence_length", "kv_cache_dim")
    attention = helper.make_node(
        "GroupQueryAttention",
        ["q", "", "", "past.0.key", "past.0.value"],
        ["a", "present.0.key", "present.0.value"],
        "attention",
        domain="com.microsoft",
        num_heads=HEADS,
    )
    nodes = [
        helper.make_node("SimplifiedLayerNormalization", ["x", "norm"], ["n"], "norm"),
        product("q_proj", "n", WIDTH, "q"),
        attention,
        product("head", "a", WORDS, "logits"),
    ]
    norm = numpy_helper.from_array(numpy.ones(WIDTH, "float32"), "norm")
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            value("x", TensorProto.FLOAT, ROWS),
            value("past.0.key", TensorProto.FLOAT, cache),
            value("past.0.value", TensorProto.FLOAT, cache),
        ],
        [
            value("logits", TensorProto.FLOAT, (*ROWS[:2], WORDS)),
            value("present.0.key", TensorProto.FLOAT, whole),
        ],
        [norm, *packed("q_proj", WIDTH), *packed("head", WORDS)],
        value_info=[value(name, TensorProto.FLOAT, ROWS) for name in ("n", "q", "a")],
    )
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets), str(tmp_path / "model.onnx"))
    decoder = {"filename": "model.onnx", "num_key_value_heads": HEADS, "head_size": SIZE}
    config = {"model": {"type": "llama", "decoder": {"num_hidden_layers": 1, **decoder}}}
    (tmp_path / "genai_config.json").write_text(json.dumps(config))
    return tmp_path


def test_packed_weights_are_counted_as_what_they_are(folder: Path) -> None:
    figures = read_model(folder).figures()
    assert figures.precision == "int4"
    assert figures.parameters == WIDTH * WIDTH + WORDS * WIDTH + WIDTH
    assert figures.language is not None
    assert figures.language.precisions == {"int4": WIDTH * WIDTH + WORDS * WIDTH, "fp32": WIDTH}


def test_operators_of_the_runtime_are_no_mistake(folder: Path) -> None:
    assert [one.code for one in read_model(folder).findings] == ["runtime-domain"]


def test_the_cache_of_a_prompt_is_empty(folder: Path) -> None:
    opened = read_model(folder)
    assert opened.assumed["past.0.key"] == (1, HEADS, 0, SIZE)


def test_work_of_a_prompt(folder: Path) -> None:
    figures = read_model(folder).figures()
    assert figures.macs_unknown == 0
    assert figures.macs == 128 * (WIDTH * WIDTH + WORDS * WIDTH) + 128 * 2 * 128 * WIDTH


def test_stored_shapes_go_where_sizes_contradict_each_other(folder: Path) -> None:
    contrary = {"x": (1, 8, WIDTH), "past.0.key": (2, HEADS, 4, SIZE)}
    assert read_model(folder, shapes=contrary).figures().macs_unknown > 0


def test_the_file_alone_is_the_same_model(folder: Path) -> None:
    figures = read_model(folder / "model.onnx").figures()
    assert figures == read_model(folder).figures()
