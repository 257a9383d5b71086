"""One real model in three formats: the same facts, the same work, and its precisions named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.language import PARAMETERS, genai_folder, gguf_file, safetensors_folder

MACS = 17_783_193_600
CACHE = 23_040

Make = Callable[[Path], Path]


@pytest.mark.parametrize(
    ("make", "precision", "quantized"),
    [(gguf_file, "q4_1", True), (safetensors_folder, "fp32", False), (genai_folder, "int4", True)],
    ids=["gguf", "safetensors", "onnxruntime-genai"],
)
def test_a_model_in_three_formats(
    make: Make, precision: str, quantized: bool, rigs: Path, studio: Studio
) -> None:
    found = studio.run("inspect", "--json", make(rigs)).json
    language = found["language"]
    assert language["architecture"] == "llama"
    assert (language["layers"], language["heads"], language["kv_heads"]) == (30, 9, 3)
    assert (language["context"], language["vocabulary"]) == (8192, 49152)
    assert language["cache_bytes"] == CACHE
    assert "<|im_start|>" in language["chat_template"]
    assert (found["precision"], found["quantized"]) == (precision, quantized)
    assert abs(found["macs"] / MACS - 1) < 0.001
    assert abs(found["parameters"] / PARAMETERS - 1) < 0.01
