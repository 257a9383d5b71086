"""Figures of all layers from those of some."""

from __future__ import annotations

import pytest

from studio_llama_cpp.tool_layers import completed, measured

NAMES = [
    "token_embd.weight",
    *(f"blk.{number}.{kind}.weight" for number in range(30) for kind in ("attn_q", "ffn_down")),
]


def test_the_ends_and_every_third_layer_are_measured() -> None:
    found = measured(NAMES)
    layers = sorted({int(name.split(".")[1]) for name in found if name.startswith("blk")})
    assert layers == [0, 1, 3, 6, 9, 12, 15, 18, 21, 24, 27, 28, 29]
    assert "token_embd.weight" in found


def test_all_layers_of_a_small_model_are_measured() -> None:
    names = [f"blk.{number}.attn_q.weight" for number in range(12)]
    assert measured(names) == names


def test_a_model_without_layers_is_measured_whole() -> None:
    assert measured(["a", "b"]) == ["a", "b"]


def test_figures_between_measured_layers_lie_on_a_geometric_line() -> None:
    figures = {name: 2.0 ** int(name.split(".")[1]) for name in measured(NAMES[1:])}
    found = completed(figures, NAMES[1:])
    assert found == pytest.approx({name: 2.0 ** int(name.split(".")[1]) for name in NAMES[1:]})


def test_kinds_do_not_mix() -> None:
    found = completed({"blk.0.a": 1.0, "blk.2.a": 1.0, "blk.0.b": 5.0}, ["blk.1.a", "blk.1.b"])
    assert found == pytest.approx({"blk.1.a": 1.0, "blk.1.b": 5.0})


def test_a_kind_that_was_measured_nowhere_has_the_mean() -> None:
    assert completed({"a": 2.0, "b": 8.0}, ["c"]) == pytest.approx({"c": 4.0})
