"""Folders of safetensors as graphs; the integration tests have folders of transformers itself."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy
import pytest

from studio.api import InvalidModel, Limits, Silent, StudioError, UnsafeModel, UsageError
from studio.models.opening import read_model
from studio.models.results import LanguageFacts
from studio_language.safetensors.format import SafetensorsFormat
from tests.plugins.language_folders import (
    HEADS,
    KV_HEADS,
    TEMPLATE,
    WIDTH,
    WORDS,
    folder,
    raw,
    save,
    shapes,
)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return folder(tmp_path / "tiny")


def refused(path: Path, error: type[StudioError] = InvalidModel) -> str:
    with pytest.raises(error) as caught:
        SafetensorsFormat().intake(path, Limits())
    assert type(caught.value) is error
    return caught.value.message


def test_a_folder_opens_with_its_facts(model: Path) -> None:
    figures = read_model(model).figures()
    size = WIDTH // HEADS
    assert figures.language == LanguageFacts(
        architecture="llama",
        layers=2,
        heads=HEADS,
        kv_heads=KV_HEADS,
        width=WIDTH,
        vocabulary=WORDS,
        context=256,
        tokenizer="LlamaTokenizer",
        chat_template=TEMPLATE,
        cache_bytes=2 * KV_HEADS * 2 * size * 2,
        precisions={"fp32": sum(int(numpy.prod(one)) for one in shapes(2).values())},
    )


def test_tokenizer_and_template_are_files_of_the_model(model: Path) -> None:
    names = {file.name for file in read_model(model).files}
    assert names == {
        *("model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json"),
    }


def test_the_graph_is_that_of_gguf(model: Path) -> None:
    nodes = read_model(model).model.graph.nodes
    layer = [node.operator for node in nodes if node.name.startswith("layers.0.")]
    assert layer == [
        *("RMSNormalization", "MatMul", "MatMul", "MatMul", "GroupQueryAttention", "MatMul"),
        *("Add", "RMSNormalization", "MatMul", "MatMul", "SwiGLU", "MatMul", "Add"),
    ]


def test_an_index_names_several_files(model: Path) -> None:
    tensors = list(shapes(2).items())
    (model / "model.safetensors").unlink()
    parts = {"a.safetensors": tensors[:5], "b.safetensors": tensors[5:]}
    for name, part in parts.items():
        save(model / name, dict(part))
    places = {name: file for file, part in parts.items() for name, _ in part}
    index = model / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    opened = read_model(model)
    assert {file.name for file in opened.files} >= {"a.safetensors", "b.safetensors", index.name}
    assert set(opened.model.graph.initializers) == set(shapes(2))


@pytest.mark.parametrize("name", ["../x.safetensors", "/etc/passwd", "a/b.safetensors", "x.bin"])
def test_an_index_leads_nowhere_else(name: str, model: Path) -> None:
    index = model / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": name}}))
    assert "names a file elsewhere" in refused(index, UnsafeModel)


def test_a_missing_file_is_named(model: Path) -> None:
    index = model / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "gone.safetensors"}}))
    assert refused(index) == "gone.safetensors is missing next to model.safetensors.index.json."


def test_values(model: Path) -> None:
    known = SafetensorsFormat()
    name = "model.norm.weight"
    place = list(shapes(2)).index(name)
    wanted = numpy.random.default_rng(place).normal(size=(WIDTH,)).astype("float32")
    path = model / "model.safetensors"
    numpy.testing.assert_array_equal(known.constant(path, name, 1 << 20), wanted)
    assert len(known.constant(path, name, 8)) == 2


def test_no_such_tensor(model: Path) -> None:
    with pytest.raises(UsageError, match="no constant 'x'"):
        SafetensorsFormat().constant(model / "model.safetensors", "x", 8)


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [4], "data_offsets": [0, 99]},
        {"dtype": "F32", "shape": [-4], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 16]},
        {"dtype": "F32", "shape": [4], "data_offsets": [16, 0]},
        {"dtype": "F32", "shape": [True] * 9, "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": "4", "data_offsets": [0, 16]},
        [],
    ],
)
def test_a_wrong_entry_is_named(entry: object, model: Path) -> None:
    path = raw(model / "model.safetensors", {"w": entry}, b"\0" * 16)
    assert refused(path) == "model.safetensors describes the tensor 'w' wrongly."


def test_an_unknown_type_is_named(model: Path) -> None:
    entry = {"dtype": "F3", "shape": [4], "data_offsets": [0, 16]}
    path = raw(model / "model.safetensors", {"w": entry}, b"\0" * 16)
    assert refused(path) == "Tensor 'w' has the type 'F3', unknown here."


@pytest.mark.parametrize("data", [b"", b"\xff" * 8, b"\x02" + b"\0" * 7 + b"[]"])
def test_no_safetensors(data: bytes, model: Path) -> None:
    path = model / "model.safetensors"
    path.write_bytes(data)
    assert path.name in refused(path)


def test_packed_weights_have_the_shape_of_what_they_hold(tmp_path: Path) -> None:
    path = folder(tmp_path / "gptq", quantization_config={"quant_method": "gptq", "bits": 4})
    entry = {"dtype": "I32", "shape": [4, 48], "data_offsets": [0, 768]}
    raw(
        path / "model.safetensors",
        {
            "model.layers.0.mlp.up_proj.qweight": entry,
            "model.layers.0.mlp.up_proj.scales": {
                "dtype": "F16",
                "shape": [1, 48],
                "data_offsets": [768, 864],
            },
        },
        b"\0" * 864,
    )
    figures = read_model(path).figures()
    assert figures.parameters == 32 * 48
    assert figures.precision == "int4"


def test_code_of_a_model_is_never_run(tmp_path: Path) -> None:
    path = folder(tmp_path / "own", auto_map={"AutoModelForCausalLM": "evil.Model"})
    (path / "evil.py").write_text("raise SystemExit")
    assert [one.code for one in read_model(path).findings] == ["own-code"]


def test_a_tokenizer_that_is_missing_is_said(model: Path) -> None:
    (model / "tokenizer.json").unlink()
    assert [one.code for one in read_model(model).findings] == ["no-tokenizer"]


def test_a_link_out_of_the_folder_is_not_taken_along(model: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("{}")
    (model / "tokenizer.json").unlink()
    os.symlink(secret, model / "tokenizer.json")
    assert "tokenizer.json" not in {file.name for file in read_model(model).files}


def test_a_model_of_pictures_is_none_of_these(model: Path) -> None:
    (model / "config.json").write_text(json.dumps({"architectures": ["ViTForImageClassification"]}))
    assert not SafetensorsFormat().recognises(model / "model.safetensors")


def test_sizes_of_a_prompt(model: Path) -> None:
    known = SafetensorsFormat()
    path = model / "model.safetensors"
    graph = known.read(path, Silent(), {"tokens": (1, 7)}).graph
    assert graph.values["logits"].shape == (1, 7, WORDS)
