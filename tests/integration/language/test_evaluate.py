"""Evaluation of a real language model by llama.cpp, held against scores by its own binding."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import gguf
import numpy
import pytest

from tests.e2e.conftest import Studio
from tests.rigs.language import gguf_file

WINDOW = 64
LICENCE = Path("/usr/share/common-licenses/GPL-3")

_QUANTIZE = """
import os, sys
from llama_cpp_py_sync import _cffi_bindings as b
ffi, lib = b.ffi, b.get_lib()
lib.llama_backend_init()
params = ffi.new("llama_model_quantize_params *")
params[0] = lib.llama_model_quantize_default_params()
params.ftype, params.allow_requantize, params.nthread = int(sys.argv[3]), True, 1
sys.exit(lib.llama_model_quantize(os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]), params))
"""

_SCORES = """
import json, os, sys
import numpy as np
from llama_cpp_py_sync import _cffi_bindings as b
ffi, lib = b.ffi, b.get_lib()
path, text, out, size = sys.argv[1:5]
lib.llama_backend_init()
params = lib.llama_model_default_params()
params.n_gpu_layers = 0
model = lib.llama_model_load_from_file(os.fsencode(path), params)
words = lib.llama_model_get_vocab(model)
count, content, W = lib.llama_vocab_n_tokens(words), open(text, "rb").read(), int(size)
room = ffi.new("llama_token[]", len(content))
found = lib.llama_tokenize(words, content, len(content), room, len(content), False, False)
tokens = ffi.unpack(room, found)
params = lib.llama_context_default_params()
params.n_ctx, params.n_batch, params.n_ubatch = 2048, 512, 512
params.n_threads = params.n_threads_batch = params.flash_attn_type = 1
context = lib.llama_init_from_model(model, params)
batch, rows, first, start = lib.llama_batch_init(512, 0, 1), [], 1, 0

def decode(begin, given, wanted):
    for row, token in enumerate(given):
        batch.token[row], batch.pos[row], batch.logits[row] = token, begin + row, wanted
        batch.n_seq_id[row], batch.seq_id[row][0] = 1, 0
    batch.n_tokens = len(given)
    assert lib.llama_decode(context, batch) == 0
    for row in range(len(given) if wanted else 0):
        raw = ffi.buffer(lib.llama_get_logits_ith(context, row), 4 * count)
        rows.append(np.frombuffer(raw, np.float32).copy())

while first < len(tokens):
    end = min(len(tokens), start + W)
    lib.llama_memory_clear(lib.llama_get_memory(context), True)
    before = tokens[start : first - 1]
    if before:
        decode(0, before, 0)
    decode(len(before), tokens[first - 1 : end - 1], 1)
    first, start = end, end - W // 2
np.savez(out, tokens=tokens, scores=np.array(rows))
"""


@pytest.fixture(scope="module")
def ready(studio: Studio, rigs: Path) -> Studio:
    """A studio with llama.cpp, which outlives the run."""
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    studio.ok("backends", "install", "llama-cpp", timeout=600)
    return studio


@pytest.fixture(scope="module")
def python(ready: Studio, rigs: Path) -> Path:
    """The interpreter of llama.cpp's environment."""
    return rigs / "toolchains" / "data" / "environments" / "studio_llama_cpp" / "bin" / "python"


@pytest.fixture(scope="module")
def float_file(python: Path, rigs: Path) -> Path:
    """The model with its weights in float."""
    return _quantized(python, gguf_file(rigs), rigs / "language" / "SmolLM2.f32.gguf", 0)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The beginning of a licence, less than what is scored at most."""
    file = tmp_path_factory.mktemp("text") / "gpl.txt"
    file.write_text(LICENCE.read_text()[:1800])
    return file


def _quantized(python: Path, source: Path, out: Path, kind: int) -> Path:
    if not out.is_file():
        part = out.with_suffix(".part")
        words = [str(python), "-c", _QUANTIZE, str(source), str(part), str(kind)]
        subprocess.run(words, check=True, capture_output=True, timeout=300)
        part.replace(out)
    return out


def _evaluated(studio: Studio, model: Path, *words: str | Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = studio.ok("evaluate", model, *words, timeout=900)
    return found


def _log_softmax(rows: numpy.ndarray) -> numpy.ndarray:
    wide = rows.astype(numpy.float64)
    wide -= wide.max(axis=1, keepdims=True)
    return numpy.asarray(wide - numpy.log(numpy.exp(wide).sum(axis=1, keepdims=True)))


def _by_hand(python: Path, model: Path, text: Path, out: Path) -> tuple[numpy.ndarray, list[int]]:
    words = [str(python), "-c", _SCORES, str(model), str(text), str(out), str(WINDOW)]
    subprocess.run(words, check=True, capture_output=True, timeout=600)
    with numpy.load(out) as archive:
        return _log_softmax(archive["scores"]), archive["tokens"].tolist()


def test_figures_are_those_of_the_scores(
    ready: Studio, python: Path, float_file: Path, text: Path, rigs: Path, tmp_path: Path
) -> None:
    model = gguf_file(rigs)
    words = ("--reference", float_file, "--data", text, "--window", str(WINDOW))
    found = _evaluated(ready, model, *words)["language"]["text"]
    p, tokens = _by_hand(python, float_file, text, tmp_path / "p.npz")
    q, _ = _by_hand(python, model, text, tmp_path / "q.npz")
    kl = (numpy.exp(p) * (p - q)).sum(axis=1)
    divergence, likelihood = found["divergence"], found["likelihood"]
    assert found["scored"] == len(tokens) - 1
    assert divergence["kl"]["value"] == pytest.approx(kl.mean(), abs=1e-4)
    assert divergence["maximum"] == pytest.approx(kl.max(), abs=1e-3)
    same = float((p.argmax(axis=1) == q.argmax(axis=1)).mean())
    assert divergence["same_top"]["value"] == pytest.approx(same, abs=1e-4)
    places = numpy.arange(len(kl)), tokens[1:]
    for name, logs in (("perplexity", q), ("reference", p)):
        expected = numpy.exp(-logs[places].mean())
        assert likelihood[name]["value"] == pytest.approx(expected, rel=1e-4)


def test_a_model_against_itself(ready: Studio, text: Path, rigs: Path) -> None:
    model = gguf_file(rigs)
    words = ("--reference", model, "--data", text, "--tokens", "128", "--window", "32")
    found = _evaluated(ready, model, *words)["language"]["text"]
    assert found["divergence"]["kl"] == {"value": 0, "low": 0, "high": 0}
    assert found["divergence"]["same_top"]["value"] == 1
    assert found["likelihood"]["ratio"]["value"] == 1


def test_a_damaged_layer_is_found(
    ready: Studio, float_file: Path, text: Path, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.gguf"
    shutil.copyfile(float_file, damaged)
    for tensor in gguf.GGUFReader(damaged, "r+").tensors:
        if tensor.name.startswith("blk.15.") and "norm" not in tensor.name:
            tensor.data[:] *= numpy.float32(1.1)
    words = ("--reference", float_file, "--data", text, "--window", str(WINDOW))
    found = _evaluated(ready, damaged, *words)["language"]["text"]["divergence"]
    assert found["kl"]["low"] > 0.02
    assert found["same_top"]["high"] < 0.97


def test_a_coarse_variant_is_worse_than_a_fine_one(
    ready: Studio, python: Path, float_file: Path, text: Path, rigs: Path
) -> None:
    values = []
    for name, kind in (("q8_0", 7), ("q2_k", 10)):
        variant = _quantized(python, float_file, rigs / "language" / f"SmolLM2.{name}.gguf", kind)
        words = ("--reference", float_file, "--data", text, "--window", str(WINDOW))
        values.append(_evaluated(ready, variant, *words)["language"]["text"]["divergence"]["kl"])
    assert values[0]["high"] < values[1]["low"]


def test_tasks_and_answers(ready: Studio, float_file: Path, rigs: Path, tmp_path: Path) -> None:
    tasks = tmp_path / "mine.jsonl"
    system = "Answer with the answer alone: one word, name or number, without a sentence."
    lines: list[dict[str, object]] = [
        {"set": {"system": system}},
        {"question": "What is the capital of France?", "answer": "Paris", "limit": 16},
        {"prompt": "The sky is", "choices": ["blue", "a sandwich"], "answer": 0, "kind": "choice"},
        {"question": "Say hello.", "kind": "open", "limit": 24},
    ]
    tasks.write_text("\n".join(map(json.dumps, lines)))
    words = ("--reference", float_file, "--task-files", tasks)
    found = _evaluated(ready, gguf_file(rigs), *words)
    score = found["language"]
    correct = {one["filter"]: one["correct"] for one in score["tasks"][0]["scores"]}
    assert (correct["likelihood"], correct["lenient"]) == (1, 1)
    assert "Paris" in score["answers"][0]["answer"]
    assert found["metric"]["name"] == "correct"
    splits = [one.get("split") for one in score["answers"]]
    equal = sum(one is None for one in splits)
    assert score["equal_answers"]["value"] == pytest.approx(equal / len(splits))
    for one in filter(None, splits):
        assert one["candidate"]["candidate"] >= one["reference"]["candidate"]
        assert one["reference"]["reference"] >= one["candidate"]["reference"]


def test_other_tokenizers_are_refused(
    ready: Studio, text: Path, rigs: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.gguf"
    shutil.copyfile(gguf_file(rigs), other)
    field = gguf.GGUFReader(other, "r+").fields["tokenizer.ggml.tokens"]
    names = [bytes(field.parts[place]).decode() for place in field.data]
    one, two = (field.parts[field.data[names.index(name)]] for name in ("Ġthe", "Ġand"))
    one[:], two[:] = two.copy(), one.copy()
    ended = ready.run("evaluate", other, "--reference", gguf_file(rigs), "--data", text)
    assert ended.code == 1
    assert "The tokenizers of both models differ from token" in ended.err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "no text"),
        (b"Too short.", "fewer than one window of 512"),
        (b"\xff\xfe\x00", "line 1: this is no UTF-8 text"),
    ],
)
def test_texts_that_cannot_be_used(
    content: bytes, sentence: str, ready: Studio, rigs: Path, tmp_path: Path
) -> None:
    file = tmp_path / "text.txt"
    file.write_bytes(content)
    ended = ready.run("evaluate", gguf_file(rigs), "--data", file)
    assert ended.code == 1
    assert sentence in ended.err
    assert "Traceback" not in ended.err


def test_half_a_text_lies_in_the_interval_of_the_other(
    ready: Studio, float_file: Path, rigs: Path, tmp_path: Path
) -> None:
    whole = LICENCE.read_text()
    halves = []
    for place, (start, end) in enumerate(pairwise((2000, 4500, 7000))):
        file = tmp_path / f"{place}.txt"
        file.write_text(whole[start:end])
        words = ("--reference", float_file, "--data", file, "--window", str(WINDOW))
        halves.append(_evaluated(ready, gguf_file(rigs), *words)["language"]["text"])
    first, second = (one["divergence"]["kl"] for one in halves)
    assert first["low"] <= second["high"]
    assert second["low"] <= first["high"]
