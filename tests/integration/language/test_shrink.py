"""The search of types and presets on a small model, in the environment of llama.cpp."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import pytest

from tests.e2e.conftest import Studio
from tests.rigs.tiny_language import tiny_language_model

MEGABYTES = 0.11


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights."""
    return tiny_language_model(tmp_path_factory.mktemp("model") / "tiny.gguf")


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A text that ships with Python."""
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text(inspect.cleandoc(json.__doc__ or "") * 12, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def small(studio: Studio, model: Path, text: Path) -> Mapping[str, Any]:
    """The model within a budget of bytes."""
    studio.ok("backends", "install", "studio_llama_cpp", timeout=900)
    return _shrunk(studio, model, text, "--megabytes", MEGABYTES)


def _shrunk(
    studio: Studio, model: Path, text: Path, option: str, budget: float
) -> Mapping[str, Any]:
    answer: Mapping[str, Any] = studio.ok(
        "quantize", model, option, str(budget), "--data", text, timeout=900
    )
    return answer


def test_the_file_is_within_the_budget(small: Mapping[str, Any]) -> None:
    size = Path(small["output"]).stat().st_size
    assert size == small["bytes"]["after"]
    assert 0.95 * MEGABYTES * 1e6 < size <= MEGABYTES * 1e6


def test_groups_have_the_types_of_the_file(small: Mapping[str, Any]) -> None:
    written = {one.name: one.tensor_type.name for one in gguf.GGUFReader(small["output"]).tensors}
    groups = small["facts"]["groups"]
    assert groups
    assert {one["name"]: one["type"] for one in groups} == {
        one["name"]: written[one["name"]] for one in groups
    }


def test_the_divergence_is_measured_with_an_interval(small: Mapping[str, Any]) -> None:
    facts = small["facts"]
    low, high = facts["kl_interval"]
    assert 0 < low <= facts["kl"]
    assert facts["kl"] <= high
    assert facts["kl"] < 0.1


def test_a_larger_budget_diverges_less(
    small: Mapping[str, Any], studio: Studio, model: Path, text: Path
) -> None:
    larger = _shrunk(studio, model, text, "--megabytes", 0.14)
    assert larger["facts"]["kl"] < small["facts"]["kl"] / 2


def test_a_limit_of_the_divergence(studio: Studio, model: Path, text: Path) -> None:
    found = _shrunk(studio, model, text, "--kl", 0.02)
    assert found["facts"]["kl"] < 0.03
    assert found["size_ratio"] < 0.5


def test_a_budget_that_is_too_small_names_the_least(
    studio: Studio, model: Path, text: Path, small: Mapping[str, Any]
) -> None:
    refused = studio.run("quantize", model, "--megabytes", "0.02", "--data", text, timeout=900)
    assert refused.code
    assert "0.02 MB are too little for this model; the smallest types need" in refused.err


@pytest.fixture(scope="module")
def presets(studio: Studio, model: Path, text: Path) -> Mapping[str, Mapping[str, Any]]:
    """The model in 4 bits by each method."""
    studio.ok("backends", "install", "studio_llama_cpp", timeout=900)
    names = ("q4_0", "gptq-q4_0", "awq-q4_0")
    found = {}
    for name in names:
        words = ("quantize", model, "--preset", name, "--data", text)
        found[name] = studio.ok(*words, timeout=900)
    return found


@pytest.mark.parametrize("name", ["q4_0", "gptq-q4_0", "awq-q4_0"])
def test_a_preset_has_its_type(presets: Mapping[str, Mapping[str, Any]], name: str) -> None:
    written = gguf.GGUFReader(presets[name]["output"]).tensors
    kinds = {one.name: one.tensor_type.name for one in written}
    layers = {kind for tensor, kind in kinds.items() if "attn_q" in tensor or "ffn" in tensor}
    assert layers == {"F32", "Q4_0"}
    assert kinds["token_embd.weight"] == "Q8_0"
    assert presets[name]["name"] == name


def test_a_text_makes_presets_better(presets: Mapping[str, Mapping[str, Any]]) -> None:
    found = {name: one["facts"]["kl"] for name, one in presets.items()}
    assert found["awq-q4_0"] < found["q4_0"]
    assert found["gptq-q4_0"] < 0.6 * found["q4_0"]


def test_a_preset_without_a_text_has_no_verdict(studio: Studio, model: Path) -> None:
    made = studio.ok("quantize", model, "--preset", "q5_k_m", timeout=900)
    assert "kl" not in made["facts"]
    assert made["size_ratio"] < 0.6


def test_gptq_needs_a_text(studio: Studio, model: Path) -> None:
    refused = studio.run("quantize", model, "--preset", "gptq-q4_0", timeout=900)
    assert refused.code == 1
    assert "GPTQ needs a text." in refused.err
