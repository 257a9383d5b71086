"""Own rounding into ggml's blocks, read back by llama.cpp's own reader, and the choice of types."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

PARTS = Path(__file__).parents[2] / "plugins" / "studio_llama_cpp"
ROWS, COLUMNS, TOKENS = 24, 96, 400
KINDS = ("Q4_0", "IQ4_NL", "Q4_1", "Q5_0", "Q5_1", "Q8_0")
Floats = NDArray[np.float32]


@pytest.fixture(scope="module")
def rounding() -> Iterator[Any]:
    """The module of the rounding, as its tool loads it."""
    yield from _loaded("tool_rounding")


@pytest.fixture(scope="module")
def choice() -> Iterator[Any]:
    """The module of the choice, as its tool loads it."""
    yield from _loaded("tool_choice")


def _loaded(name: str) -> Iterator[Any]:
    sys.path.insert(0, str(PARTS))
    yield importlib.import_module(name)
    sys.path.remove(str(PARTS))


@pytest.fixture(scope="module")
def layer() -> tuple[Floats, Floats]:
    """Weights, and the products of inputs that hang together."""
    random = np.random.default_rng(3)
    mixed = np.eye(COLUMNS) + random.standard_normal((COLUMNS, COLUMNS)) * 0.15
    inputs = random.standard_normal((TOKENS, COLUMNS)) @ mixed
    weights = random.standard_normal((ROWS, COLUMNS)) * 0.05
    return weights.astype(np.float32), (inputs.T @ inputs / TOKENS).astype(np.float32)


def _error(weights: Floats, values: Floats, products: Floats) -> float:
    gap = values - weights
    return float(np.einsum("ij,ij->", gap @ products, gap))


@pytest.mark.parametrize("kind", KINDS)
def test_llama_cpp_reads_the_same_values(
    kind: str, rounding: Any, layer: tuple[Floats, Floats]
) -> None:
    weights, products = layer
    grid = rounding.GRIDS[kind]
    blocks, values = rounding.rounded(weights, grid, rounding.factor(products))
    read = gguf.dequantize(blocks, gguf.GGMLQuantizationType[kind])
    np.testing.assert_allclose(read, values, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", [one for one in KINDS if one != "IQ4_NL"])
def test_the_outputs_change_less_than_by_plain_rounding(
    kind: str, rounding: Any, layer: tuple[Floats, Floats]
) -> None:
    weights, products = layer
    number = gguf.GGMLQuantizationType[kind]
    plain = gguf.dequantize(gguf.quantize(weights, number), number)
    _, values = rounding.rounded(weights, rounding.GRIDS[kind], rounding.factor(products))
    assert _error(weights, values, products) < 0.7 * _error(weights, plain, products)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_zero_stay_zero(kind: str, rounding: Any) -> None:
    nothing = np.zeros((2, 32), np.float32)
    _, values = rounding.rounded(nothing, rounding.GRIDS[kind], np.eye(32, dtype=np.float32))
    assert not np.isnan(values).any()
    assert not values.any()


def _choices(choice: Any) -> dict[str, list[Any]]:
    random = np.random.default_rng(11)
    found = {}
    for name in "abcdef":
        scale = random.uniform(0.5, 20)
        size = int(random.integers(100, 1000))
        found[name] = [
            choice.Choice(f"Q{bits}", size * bits, scale * 4.0**-bits) for bits in (2, 3, 4, 5, 8)
        ]
    return found


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_choice_is_close_to_the_best_of_all(share: float, choice: Any) -> None:
    many = _choices(choice)
    least = sum(min(one.size for one in group) for group in many.values())
    most = sum(max(one.size for one in group) for group in many.values())
    room = least + share * (most - least)
    found = choice.best(many, room)
    assert sum(one.size for one in found.values()) <= room
    best = min(
        sum(one.cost for one in tried)
        for tried in product(*many.values())
        if sum(one.size for one in tried) <= room
    )
    assert sum(one.cost for one in found.values()) <= 1.1 * best


def test_too_little_room_has_a_sentence_of_its_least(choice: Any) -> None:
    with pytest.raises(ValueError, match="bytes are the least"):
        choice.best(_choices(choice), 10)
