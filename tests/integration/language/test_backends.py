"""Backends of language models on one real model: the same tokens, scores and answers.

The reference for scores is torch, on the float weights that the GGUF file gives.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.integration.language.conftest import Play
from tests.rigs.language import genai_folder, gguf_file, openvino_folder, reference

TEXT = Path("/usr/share/common-licenses/Apache-2.0")
TEXTS = (
    "Hello world, don't WE'RE I'll 123 4567",
    "  lead\n\n\ttabs \r\n and blanks   ",
    "\U0001f600\U0001f1ee\U0001f1f9 naïve nai\u0308ve 中文字符 日本語 한국어 العربية",
    "a\0b",
    "x" * 300,
    "<|im_start|>system\n<|im_end|><|endoftext|><|im_<|im_end|>",
)
FRANCE = "The capital of France is"


def float_onnx(rigs: Path) -> Path:
    return genai_folder(rigs, "fp32") / "model.onnx"


def int4_onnx(rigs: Path) -> Path:
    return genai_folder(rigs) / "model.onnx"


def float_openvino(rigs: Path) -> Path:
    return openvino_folder(rigs) / "openvino_model.xml"


Make = Callable[[Path], Path]
MODELS: list[tuple[str, Make]] = [
    ("llama-cpp", gguf_file),
    ("onnxruntime-genai", int4_onnx),
    ("openvino-genai", float_openvino),
]
FLOATS = [*MODELS[2:], ("onnxruntime-genai", float_onnx)]
each_model = pytest.mark.parametrize(("backend", "make"), MODELS, ids=[one for one, _ in MODELS])
each_float = pytest.mark.parametrize(("backend", "make"), FLOATS, ids=[one for one, _ in FLOATS])


def test_tokens_are_the_same_in_all_backends(play: Play, rigs: Path) -> None:
    calls: list[list[object]] = [
        ["encode", text, special] for text in TEXTS for special in (False, True)
    ]
    found = {name: play(name, make(rigs), calls).results for name, make in MODELS}
    assert found["onnxruntime-genai"] == found["llama-cpp"]
    assert found["openvino-genai"] == found["llama-cpp"]
    tokens, _ = reference(rigs, TEXTS[2])
    assert found["llama-cpp"][4] == tokens


@each_model
def test_pieces_are_the_bytes_of_a_text(backend: str, make: Make, play: Play, rigs: Path) -> None:
    text = TEXTS[2]
    tokens, _ = reference(rigs, text)
    calls: list[list[object]] = [["pieces", tokens], ["pieces", [0, 1, 2]]]
    pieces, special = play(backend, make(rigs), calls).results
    assert bytes.fromhex("".join(pieces)) == text.encode()
    assert special == ["", "", ""]


@each_float
def test_scores_are_those_of_torch(backend: str, make: Make, play: Play, rigs: Path) -> None:
    tokens, path = reference(rigs, TEXT.read_text()[800:3600])
    tokens = tokens[:500]
    with np.load(path) as found:
        wanted = found["scores"][: len(tokens)]
    calls: list[list[object]] = [["run", [0, tokens, len(tokens)]]]
    scores = play(backend, make(rigs), calls, context=600, batch=600).scores[0]
    assert scores.shape == wanted.shape
    same = float((scores.argmax(-1) == wanted.argmax(-1)).mean())
    assert same >= 0.99, same
    assert float(np.abs(scores - wanted).max()) < 0.1


@each_float
def test_a_greedy_answer(backend: str, make: Make, play: Play, rigs: Path) -> None:
    tokens, _ = reference(rigs, FRANCE)
    (answer,) = play(backend, make(rigs), [["answer", 0, tokens, 4]]).results
    (pieces,) = play(backend, make(rigs), [["pieces", answer]]).results
    assert bytes.fromhex("".join(pieces)).startswith(b" Paris.")


@each_model
def test_a_slot_that_is_shortened_is_as_a_fresh_one(
    backend: str, make: Make, play: Play, rigs: Path
) -> None:
    tokens, _ = reference(rigs, TEXTS[0])
    other = tokens[::-1]
    first, rest = tokens[:6], tokens[6:]
    calls: list[list[object]] = [
        ["run", [0, first, 1]],
        ["run", [0, other, 1]],
        ["keep", 0, len(first)],
        ["run", [0, rest, 3]],
        ["run", [1, first, 1]],
        ["run", [1, rest, 3]],
    ]
    found = play(backend, make(rigs), calls, slots=2)
    assert found.results[2] == len(first)
    np.testing.assert_allclose(found.scores[2], found.scores[4], atol=1e-5)


@each_model
def test_slots_do_not_disturb_each_other(backend: str, make: Make, play: Play, rigs: Path) -> None:
    tokens, _ = reference(rigs, TEXTS[0])
    other = tokens[::-1]
    calls: list[list[object]] = [
        ["run", [0, tokens, 2], [1, other, 2]],
        ["run", [2, tokens, 2]],
        ["run", [3, other, 2]],
    ]
    found = play(backend, make(rigs), calls, slots=4).scores
    for together, alone in ((found[0], found[2]), (found[1], found[3])):
        assert together.shape == (2, 49152)
        assert np.array_equal(together.argmax(-1), alone.argmax(-1))
        # llama.cpp computes slots in one batch, whose sums round in another order.
        np.testing.assert_allclose(together, alone, atol=0.5 if backend == "llama-cpp" else 1e-5)


@each_model
def test_a_full_slot_takes_no_more(backend: str, make: Make, play: Play, rigs: Path) -> None:
    calls: list[list[object]] = [
        ["facts"],
        ["run", [0, [5] * 255, 1]],
        ["run", [0, [5], 1]],
        ["run", [0, [5], 1]],
        ["keep", 0, 10],
        ["run", [0, [5], 1]],
    ]
    found = play(backend, make(rigs), calls)
    facts, *rest = found.results
    assert (facts["context"], facts["slots"], facts["vocabulary"]) == (256, 1, 49152)
    assert 2 in facts["ends"]
    assert "<|im_start|>" in facts["template"]
    assert rest == ["", "", "full", 10, ""]


@each_model
def test_nothing_is_written_into_the_home(backend: str, make: Make, play: Play, rigs: Path) -> None:
    found = play(backend, make(rigs), [["run", [0, [5, 6, 7], 1]]])
    assert found.left == []
    assert len(found.scores) == 1


@each_model
def test_a_context_that_is_too_long(backend: str, make: Make, play: Play, rigs: Path) -> None:
    refused = play(backend, make(rigs), [], context=9000).results["refused"]
    assert refused.endswith("was made for 8192 tokens of context, not for 9000.")


@pytest.mark.parametrize(("backend", "make"), MODELS[1:], ids=[one for one, _ in MODELS[1:]])
def test_too_little_memory(backend: str, make: Make, play: Play, rigs: Path) -> None:
    refused = play(backend, make(rigs), [], context=8192, slots=60_000).results["refused"]
    assert "MB for 8192 tokens of context in 60000 slots, and" in refused
    assert "MB of memory are free" in refused


@pytest.mark.parametrize(("cache", "kept"), [("int8", 0), ("int4", 0), ("f16", 4)])
def test_a_cache_of_openvino_in_fewer_bits(play: Play, rigs: Path, cache: str, kept: int) -> None:
    tokens, _ = reference(rigs, FRANCE)
    calls: list[list[object]] = [["answer", 0, tokens, 2], ["keep", 0, 4]]
    answer, held = play("openvino-genai", float_openvino(rigs), calls, cache=cache).results
    (pieces,) = play("openvino-genai", float_openvino(rigs), [["pieces", answer]]).results
    assert bytes.fromhex("".join(pieces)) == b" Paris."
    assert held == kept


def test_a_cache_that_the_graph_does_not_have(play: Play, rigs: Path) -> None:
    refused = play("onnxruntime-genai", int4_onnx(rigs), [], cache="int8").results["refused"]
    assert refused.endswith("keeps its cache in float32, so a cache in int8 is not offered.")


def _copied(folder: Path, to: Path) -> Path:
    """Return a copy whose files can be changed, with its large ones as links."""
    to.mkdir()
    for file in folder.iterdir():
        if file.suffix in (".data", ".bin"):
            (to / file.name).symlink_to(file)
        else:
            shutil.copy(file, to / file.name)
    return to


@pytest.mark.parametrize(
    ("backend", "missing", "sentence"),
    [
        ("onnxruntime-genai", "tokenizer.json", "lacks a tokenizer: tokenizer.json is missing."),
        ("onnxruntime-genai", "genai_config.json", "lacks genai_config.json."),
        ("openvino-genai", "tokenizer.json", "lacks a tokenizer: tokenizer.json is missing."),
        (
            "openvino-genai",
            "openvino_tokenizer.xml",
            "lacks a tokenizer: openvino_tokenizer.xml is missing.",
        ),
    ],
)
def test_a_missing_file(
    play: Play, rigs: Path, tmp_path: Path, backend: str, missing: str, sentence: str
) -> None:
    model = dict(MODELS)[backend](rigs)
    folder = _copied(model.parent, tmp_path / "damaged")
    (folder / missing).unlink()
    assert play(backend, folder / model.name, []).results["refused"] == f"damaged {sentence}"


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        ("onnxruntime-genai", "model.onnx"),
        ("onnxruntime-genai", "genai_config.json"),
        ("onnxruntime-genai", "tokenizer.json"),
        ("openvino-genai", "openvino_model.xml"),
        ("openvino-genai", "openvino_model.bin"),
        ("openvino-genai", "openvino_tokenizer.xml"),
        ("openvino-genai", "config.json"),
    ],
)
def test_a_file_cut_in_half(
    play: Play, rigs: Path, tmp_path: Path, backend: str, name: str
) -> None:
    model = dict(MODELS)[backend](rigs)
    folder = _copied(model.parent, tmp_path / "damaged")
    content = (model.parent / name).read_bytes()
    (folder / name).unlink()
    (folder / name).write_bytes(content[: len(content) // 2])
    refused = play(backend, folder / model.name, []).results["refused"]
    assert refused.endswith(".")
    assert "\n" not in refused


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"session_options": {"custom_ops_library": "/tmp/x.so"}},
            "genai_config.json of damaged has a setting that is not taken: custom_ops_library.",
        ),
        (
            {"pipeline": [{"model": {"filename": "other.onnx"}}]},
            "genai_config.json of damaged has a setting that is not taken: pipeline.",
        ),
        (
            {"filename": "../smollm2/model.onnx"},
            "genai_config.json of damaged names another file than model.onnx.",
        ),
    ],
)
def test_a_configuration_that_reaches_out(
    play: Play, rigs: Path, tmp_path: Path, change: dict[str, object], sentence: str
) -> None:
    folder = _copied(genai_folder(rigs), tmp_path / "damaged")
    path = folder / "genai_config.json"
    config = json.loads(path.read_text())
    config["model"]["decoder"].update(change)
    path.write_text(json.dumps(config))
    refused = play("onnxruntime-genai", folder / "model.onnx", []).results["refused"]
    assert refused == sentence


def test_an_unknown_architecture(play: Play, rigs: Path, tmp_path: Path) -> None:
    folder = _copied(genai_folder(rigs), tmp_path / "damaged")
    path = folder / "genai_config.json"
    path.write_text(path.read_text().replace('"llama"', '"nonsuch"'))
    refused = play("onnxruntime-genai", folder / "model.onnx", []).results["refused"]
    assert refused.startswith("ONNX Runtime generate() cannot load damaged: ")
    assert "nonsuch" in refused
