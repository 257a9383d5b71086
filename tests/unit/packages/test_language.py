"""Bundles of language models: their files keep together, and the target knows what they take."""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy
import onnx
import pytest
from onnx import TensorProto, helper

from studio.api import UsageError
from studio.deployment.bundle_facts import facts_of
from studio.deployment.language_memory import fitting, language_bytes
from studio.packages import Bundle
from studio.packages.work import package
from studio.registry import ModelRef
from studio.runtime.generate.model_parts import parts_of
from studio.runtime.serve.engine.source import from_bundle
from tests.rigs.bundles import QuietJob, package_options

LAYERS, WIDTH, HEADS, WORDS, CONTEXT = 2, 64, 4, 512, 2048


def llama(path: Path) -> Path:
    """Write a small language model in GGUF."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"w{number}" for number in range(WORDS)])
    shapes = {"token_embd": (WORDS, WIDTH), "output_norm": (WIDTH,)}
    for layer in range(LAYERS):
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            shapes[f"blk.{layer}.{name}"] = (WIDTH, WIDTH)
        for name in ("attn_norm", "ffn_norm"):
            shapes[f"blk.{layer}.{name}"] = (WIDTH,)
    for name, shape in shapes.items():
        writer.add_tensor(f"{name}.weight", numpy.ones(shape, numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def genai(folder: Path) -> Path:
    """Write the layout of onnxruntime-genai around a graph; its file has a name of its own."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["logits"])],
        "tiny",
        [value("x", TensorProto.FLOAT, (1, 4))],
        [value("logits", TensorProto.FLOAT, (1, 4))],
    )
    path = folder / "phi.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    decoder = {"filename": path.name, "num_hidden_layers": 1, "num_key_value_heads": 1}
    config = {"model": {"type": "llama", "context_length": 512, "decoder": decoder}}
    (folder / "genai_config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    return path


def bundle_of(path: Path, folder: Path, **options: object) -> Bundle:
    """Package a model."""
    form = path.suffix[1:]
    ref = ModelRef(str(path), "0" * 64, 1, 1, "tiny", "fp32", form, "fp32")
    asked = package_options(ref, **options)  # type: ignore[arg-type]
    return Bundle.open(Path(package(asked, QuietJob(folder)).bundle))


def test_a_gguf_model_comes_in_parts_with_its_settings(tmp_path: Path) -> None:
    bundle = bundle_of(llama(tmp_path / "tiny.gguf"), tmp_path / "job", slots=2, cache="int8")
    source = from_bundle(bundle.folder)
    assert source.backend.id == "llama-cpp"
    assert (source.text.context, source.text.slots, source.text.cache) == (CONTEXT, 2, "int8")
    assert len(parts_of(source.path)) == 1 + LAYERS
    assert set(bundle.requirements) == {"numpy", "llama-cpp-py-sync", "cffi", "pycparser"}


def test_a_folder_keeps_the_names_that_its_settings_have(tmp_path: Path) -> None:
    path = genai(tmp_path)
    bundle = bundle_of(path, tmp_path / "job")
    source = from_bundle(bundle.folder)
    assert source.backend.id == "onnxruntime-genai"
    assert source.path.name == "phi.onnx"
    names = {file.name for file in bundle.files}
    assert {"phi.onnx", "genai_config.json", "tokenizer.json"} <= names
    assert source.text.context == 512


def test_a_context_that_the_model_was_not_made_for_is_refused(tmp_path: Path) -> None:
    path = llama(tmp_path / "tiny.gguf")
    with pytest.raises(UsageError, match="was made for 2048 tokens of context, not for 4096"):
        bundle_of(path, tmp_path / "job", context=4096)


def test_memory_grows_with_slots_and_a_refusal_names_what_fits(tmp_path: Path) -> None:
    path = llama(tmp_path / "tiny.gguf")
    needs = []
    for slots in (1, 8):
        bundle = bundle_of(path, tmp_path / f"job{slots}", slots=slots)
        needs.append(language_bytes(bundle, path.stat().st_size))
    cache = LAYERS * 2 * WIDTH * 2 * CONTEXT
    assert needs[1] - needs[0] >= 7 * cache
    megabytes = (needs[0] + cache) / 1e6
    hint = fitting(bundle, path.stat().st_size, megabytes, 1)
    assert hint.startswith("It would fit with --context ")
    assert facts_of(bundle).generation.model.layers == LAYERS


def test_limits_of_tokens_are_in_the_bundle(tmp_path: Path) -> None:
    path = llama(tmp_path / "tiny.gguf")
    limits = {"queue_tokens": 9000, "max_total_tokens": 300}
    source = from_bundle(bundle_of(path, tmp_path / "job", **limits).folder)
    assert (source.text.queue_tokens, source.text.total) == (9000, 300)
    with pytest.raises(UsageError, match="300 tokens does not fit a context of 128"):
        bundle_of(path, tmp_path / "other", context=128, **limits)
