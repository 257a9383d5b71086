"""The quantization of language models: options that fit, and the texts of its result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.api import UsageError
from studio.plugin_host import PluginHost
from studio.quantization.language.smaller_variant import check_budgets, shrink
from studio.quantization.language.texts import shrunk
from studio.quantization.methods import methods
from studio.quantization.step import QuantizeOptions
from studio.registry import ModelRef

from .conftest import FakeJob

FACTS: dict[str, Any] = {
    "bytes": 100_000,
    "kl": 0.0105,
    "kl_interval": [0.0102, 0.0108],
    "tokens": 2880,
    "text": "c41c",
    "groups": [
        {"name": "blk.0.attn_q.weight", "weights": 8000, "type": "Q8_0", "bytes": 8500, "kl": 6e-4}
    ],
}


@pytest.fixture
def options(tmp_path: Path) -> QuantizeOptions:
    """A GGUF model with a text and a budget."""
    text = tmp_path / "text.txt"
    text.write_text("word " * 100, encoding="utf-8")
    model = ModelRef(str(tmp_path / "m.gguf"), "0" * 64, 1, 1, "m", "float", "gguf", "fp16")
    return QuantizeOptions(model=model, data=text, megabytes=1.0)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"megabytes": None}, "one budget"),
        ({"kl": 0.1}, "one budget"),
        ({"data": None}, "chosen on a text"),
        ({"data": Path("/no/such/file")}, "file is not a text"),
        ({"search": True}, "--search is not for language models"),
        ({"max_drop": 0.1}, "--max-drop is not for language models"),
        ({"preset": 'method = "fp16"'}, "The preset is not for language models"),
        ({"preset": 'method = "gguf-types"'}, "A preset has its types"),
        (
            {"preset": 'method = "gguf-types"\ntype = "Q9"', "megabytes": None},
            "line 2, column 1: Type must be one of",
        ),
        ({"method": "fp16"}, "fp16 is not for language models"),
    ],
)
def test_what_does_not_fit_has_a_sentence(
    changed: dict[str, Any], sentence: str, options: QuantizeOptions, job: FakeJob
) -> None:
    with pytest.raises(UsageError, match=sentence):
        shrink(replace(options, **changed), job, PluginHost.discover())


@pytest.mark.parametrize("budget", ["megabytes", "kl", "tokens_per_second"])
def test_budgets_are_not_for_other_models(budget: str, options: QuantizeOptions) -> None:
    given = replace(options, **{"megabytes": None, budget: 1.0})
    with pytest.raises(UsageError, match="is for language models in GGUF"):
        check_budgets(given)


def test_without_a_budget_other_models_are_as_before(options: QuantizeOptions) -> None:
    check_budgets(replace(options, megabytes=None))


def test_the_method_is_not_offered_for_other_models() -> None:
    assert "gguf-search" not in methods(PluginHost.discover())


def test_the_table_has_verdict_and_groups() -> None:
    lines = shrunk(FACTS)
    assert lines[0] == (
        "KL        0.0105 from the float model, 0.0102 to 0.0108, over 2,880 tokens that no choice "
        "has seen"
    )
    assert lines[1].endswith("SHA-256 c41c")
    assert lines[3].split() == ["blk.0.attn_q.weight", "Q8_0", "0.01", "8.50", "0.00060"]


def test_other_sizes_follow_the_table() -> None:
    sizes = [{"bytes": 90_000, "kl": 0.02}, {"bytes": 120_000, "kl": 0.004}]
    lines = shrunk({**FACTS, "sizes": sizes})
    assert [line.split() for line in lines[-2:]] == [
        ["0.1", "MB", "0.0200"],
        ["0.1", "MB", "0.0040"],
    ]


def test_facts_of_other_methods_have_no_table() -> None:
    assert shrunk({"quantized": 3}) == []
