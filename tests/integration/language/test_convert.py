"""Conversions of a real language model, and what their results compute.

The whole model between GGUF and safetensors; its first layers in the environment of the builders.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio_language.safetensors.content import SavedTensor, load
from tests.e2e.conftest import Studio
from tests.integration.language.conftest import Play
from tests.rigs.language import gguf_file, reference, safetensors_folder
from tests.rigs.small_language import small_gguf

TEXT = Path("/usr/share/common-licenses/Apache-2.0")
STRINGS = (
    "Hello world, don't WE'RE I'll 123 4567",
    "#       1 for different\n\n  0. Definitions.",
    "  lead\n\n\ttabs \r\n and blanks   ",
    "\U0001f600\U0001f1ee\U0001f1f9 na\xefve nai\u0308ve \u4e2d\u6587 \u65e5\u672c\u8a9e",
    "x" * 300,
)


@pytest.fixture(scope="module")
def small(rigs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model with two of its layers."""
    return small_gguf(gguf_file(rigs), tmp_path_factory.mktemp("model") / "small.gguf", 2)


@pytest.fixture(scope="module")
def builders(kept: Studio, pythons: Callable[[str], Path]) -> Studio:
    """The studio with the environment of the builders, and with the backends."""
    for name in ("genai-builder", "llama-cpp", "onnxruntime-genai", "openvino-genai"):
        pythons(name)
    return kept


def values(tensor: SavedTensor) -> np.ndarray:
    assert tensor.dtype == "float32"
    return np.fromfile(tensor.file, "<f4", tensor.size // 4, offset=tensor.offset)


def test_weights_are_those_of_transformers(studio: Studio, rigs: Path, tmp_path: Path) -> None:
    out = tmp_path / "folder"
    studio.ok("export", gguf_file(rigs), "--to", "safetensors", "--out", out, timeout=600)
    ours = load((out / "model.safetensors",))
    theirs = load((safetensors_folder(rigs) / "model.safetensors",))
    assert ours.keys() == theirs.keys()
    for name, one in theirs.items():
        np.testing.assert_array_equal(values(ours[name]), values(one), err_msg=name)


def test_scores_of_a_new_gguf_file_are_those_of_torch(
    kept: Studio, play: Play, rigs: Path, tmp_path: Path
) -> None:
    out, folder = tmp_path / "new.gguf", safetensors_folder(rigs)
    kept.ok("export", folder, "--to", "gguf", "--precision", "fp32", "--out", out, timeout=600)
    tokens, path = reference(rigs, TEXT.read_text()[800:3600])
    tokens = tokens[:200]
    with np.load(path) as found:
        wanted = _log_softmax(found["scores"][: len(tokens)])
    calls: list[list[object]] = [["run", [0, tokens, len(tokens)]]]
    scores = _log_softmax(play("llama-cpp", out, calls).scores[0])
    assert float((np.exp(wanted) * (wanted - scores)).sum(1).mean()) < 1e-4


def _log_softmax(scores: np.ndarray) -> np.ndarray:
    wide = scores.astype(np.float64)
    wide -= wide.max(1, keepdims=True)
    return wide - np.log(np.exp(wide).sum(1, keepdims=True))


@pytest.mark.parametrize(
    ("target", "backend", "options", "limit"),
    [
        ("onnxruntime-genai", "onnxruntime-genai", ("--precision", "fp32"), 1e-3),
        ("onnxruntime-genai", "onnxruntime-genai", ("--rounding", "k-quant"), 0.3),
        ("openvino-genai", "openvino-genai", ("--precision", "fp32"), 1e-3),
        ("openvino-genai", "openvino-genai", ("--precision", "int8"), 0.03),
        ("openvino-genai", "openvino-genai", ("--precision", "int4", "--block-size", "64"), 0.3),
    ],
)
def test_a_folder_answers_like_its_source(
    builders: Studio,
    play: Play,
    small: Path,
    tmp_path: Path,
    target: str,
    backend: str,
    options: tuple[str, ...],
    limit: float,
) -> None:
    out = tmp_path / "made"
    made: Mapping[str, Any] = builders.ok(
        "export", small, "--to", target, *options, "--out", out, timeout=1200
    )
    assert made["output"] == str(out)
    assert not made["warnings"]
    calls: list[list[object]] = [["encode", text, False] for text in STRINGS]
    entry = out / ("model.onnx" if target == "onnxruntime-genai" else "openvino_model.xml")
    assert play(backend, entry, calls).results == play("llama-cpp", small, calls).results
    text = tmp_path / "text.txt"
    text.write_text(TEXT.read_text()[:3000], encoding="utf-8")
    score = builders.ok(
        *("evaluate", out, "--reference", small, "--data", text),
        *("--tokens", "256", "--window", "128"),
        timeout=1200,
    )
    # llama.cpp rounds inputs to 8 bits next to weights of few bits, which alone costs some .005.
    assert score["metric"]["value"] < limit + 0.02


def test_an_unknown_architecture_is_one_sentence(
    builders: Studio, rigs: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    for one in safetensors_folder(rigs).iterdir():
        (folder / one.name).symlink_to(one)
    (folder / "config.json").unlink()
    config = json.loads((safetensors_folder(rigs) / "config.json").read_text())
    config |= {"model_type": "gpt_neo", "architectures": ["GPTNeoForCausalLM"]}
    (folder / "config.json").write_text(json.dumps(config))
    for target in ("gguf", "onnxruntime-genai"):
        refused = builders.run("export", folder, "--to", target, timeout=600)
        assert refused.code == 1
        assert len(refused.err.strip().splitlines()) <= 2
