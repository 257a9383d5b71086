"""The encoder's graph against the formulas of BERT in numpy, and weights that are damaged."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path

import numpy
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray

from studio.api import InvalidData, Silent
from studio.samples.encoder.files import make
from studio.samples.encoder.weights import SafetensorsWeights

Floats = NDArray[numpy.float32]

WIDTH, HEADS, LAYERS, INNER, WORDS, PLACES = 8, 2, 2, 12, 11, 6
EPSILON = 1e-12
CONFIG = {
    "architectures": ["BertModel"],
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "layer_norm_eps": EPSILON,
}


def weights() -> dict[str, Floats]:
    chance = numpy.random.default_rng(3)
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (WORDS, WIDTH),
        "embeddings.position_embeddings.weight": (PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
    }
    norms = ["embeddings.LayerNorm"]
    for layer in range(LAYERS):
        place = f"encoder.layer.{layer}"
        for name in ("query", "key", "value"):
            shapes[f"{place}.attention.self.{name}.weight"] = (WIDTH, WIDTH)
        shapes[f"{place}.attention.output.dense.weight"] = (WIDTH, WIDTH)
        shapes[f"{place}.intermediate.dense.weight"] = (INNER, WIDTH)
        shapes[f"{place}.output.dense.weight"] = (WIDTH, INNER)
        norms += [f"{place}.attention.output.LayerNorm", f"{place}.output.LayerNorm"]
    dense = [name for name in shapes if ".layer." in name]
    shapes.update({name.replace("weight", "bias"): shapes[name][:1] for name in dense})
    shapes.update({f"{name}.{what}": (WIDTH,) for name in norms for what in ("weight", "bias")})
    return {name: chance.normal(0, 1, shape).astype("<f4") for name, shape in shapes.items()}


def write_weights(path: Path, arrays: Mapping[str, Floats]) -> Path:
    rows, at = {}, 0
    for name, array in arrays.items():
        rows[name] = {
            "dtype": "F32",
            "shape": array.shape,
            "data_offsets": [at, at + array.nbytes],
        }
        at += array.nbytes
    header = json.dumps(rows).encode()
    content = b"".join(one.tobytes() for one in arrays.values())
    path.write_bytes(struct.pack("<Q", len(header)) + header + content)
    return path


def norm(x: Floats, given: Mapping[str, Floats], name: str) -> Floats:
    middle = x - x.mean(-1, keepdims=True)
    spread = numpy.sqrt((middle**2).mean(-1, keepdims=True) + EPSILON)
    found: Floats = middle / spread * given[f"{name}.weight"] + given[f"{name}.bias"]
    return found


def dense(x: Floats, given: Mapping[str, Floats], name: str) -> Floats:
    found: Floats = x @ given[f"{name}.weight"].T + given[f"{name}.bias"]
    return found


def gelu(x: Floats) -> Floats:
    erf = numpy.vectorize(math.erf)
    found: Floats = x * 0.5 * (1 + erf(x / math.sqrt(2)))
    return found


def reference(given: Mapping[str, Floats], tokens: list[int]) -> Floats:
    """The hidden states of one text, without any padding: tokens x width."""
    places = given["embeddings.position_embeddings.weight"][: len(tokens)]
    x = given["embeddings.word_embeddings.weight"][tokens] + places
    x = norm(x + given["embeddings.token_type_embeddings.weight"][0], given, "embeddings.LayerNorm")
    size = WIDTH // HEADS
    for layer in range(LAYERS):
        place = f"encoder.layer.{layer}"
        q, k, v = (
            dense(x, given, f"{place}.attention.self.{one}") for one in ("query", "key", "value")
        )
        parts = []
        for head in range(HEADS):
            of = slice(head * size, (head + 1) * size)
            scores = numpy.exp(q[:, of] @ k[:, of].T / math.sqrt(size))
            parts.append(scores / scores.sum(-1, keepdims=True) @ v[:, of])
        context = dense(numpy.hstack(parts), given, f"{place}.attention.output.dense")
        x = norm(context + x, given, f"{place}.attention.output.LayerNorm")
        inner = gelu(dense(x, given, f"{place}.intermediate.dense"))
        outer = dense(inner, given, f"{place}.output.dense")
        x = norm(outer + x, given, f"{place}.output.LayerNorm")
    return x


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "encoder"
    place.mkdir()
    (place / "config.json").write_text(json.dumps(CONFIG))
    write_weights(place / "model.safetensors", weights())
    return tmp_path


def test_the_graph_computes_bert_and_padding_changes_nothing(folder: Path) -> None:
    make(folder, Silent())
    path = folder / "encoder" / "model.onnx"
    onnx.checker.check_model(onnx.load(path), full_check=True)
    session = onnxruntime.InferenceSession(str(path))
    tokens = numpy.array([[1, 4, 9, 2], [1, 7, 2, 0]])
    mask = (tokens > 0).astype(numpy.int64)
    feeds = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": tokens * 0}
    (found,) = session.run(["last_hidden_state"], feeds)
    given = weights()
    numpy.testing.assert_allclose(found[0], reference(given, [1, 4, 9, 2]), atol=2e-5)
    numpy.testing.assert_allclose(found[1, :3], reference(given, [1, 7, 2]), atol=2e-5)


def test_the_weights_are_gone_afterwards(folder: Path) -> None:
    make(folder, Silent())
    assert sorted(one.name for one in (folder / "encoder").iterdir()) == [
        "config.json",
        "model.onnx",
    ]


def test_another_configuration_is_refused(folder: Path) -> None:
    (folder / "encoder" / "config.json").write_text('{"hidden_size": 8}')
    with pytest.raises(InvalidData, match=r"config\.json is not that of a BERT encoder"):
        make(folder, Silent())


@pytest.mark.parametrize("content", [b"", b"\x05\0\0\0\0\0\0\0{", b"\xff" * 9, b"\2" + b"\0" * 7])
def test_a_damaged_file_is_one_sentence(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(InvalidData, match=r"model\.safetensors is no file of weights"):
        SafetensorsWeights(path)


def test_missing_or_other_weights_are_named(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "w.safetensors", {"a": numpy.ones(2, "<f4")})
    content = path.read_bytes().replace(b'"F32"', b'"I32"')
    (tmp_path / "other.safetensors").write_bytes(content)
    with pytest.raises(InvalidData, match="has no weights 'b'"):
        SafetensorsWeights(path).array("b")
    with pytest.raises(InvalidData, match="has no weights 'a': it is I32"):
        SafetensorsWeights(tmp_path / "other.safetensors").array("a")
