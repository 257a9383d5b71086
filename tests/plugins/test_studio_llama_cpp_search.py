"""Own rounding into ggml's blocks, read back by llama.cpp's own reader, and the choice of types."""

from __future__ import annotations

from itertools import product

import gguf
import numpy as np
import pytest
from numpy.typing import NDArray

from studio_llama_cpp.tool_blocks import GRIDS
from studio_llama_cpp.tool_choice import TypeChoice, frontier
from studio_llama_cpp.tool_choice import best as best_choice
from studio_llama_cpp.tool_descent import improved
from studio_llama_cpp.tool_measure import product as product_of_inputs
from studio_llama_cpp.tool_rounding import carried_codes, rounded
from studio_llama_cpp.tool_super import LAYOUTS, SUPER, with_codes
from studio_llama_cpp.tool_weighing import weighing

ROWS, COLUMNS, TOKENS = 24, 96, 400
KINDS = ("Q4_0", "IQ4_NL", "Q4_1", "Q5_0", "Q5_1", "Q8_0")
Floats = NDArray[np.float32]


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
def test_llama_cpp_reads_the_same_values(kind: str, layer: tuple[Floats, Floats]) -> None:
    weights, products = layer
    grid = GRIDS[kind]
    blocks, values = rounded(weights, grid, weighing(products))
    read = gguf.dequantize(blocks, gguf.GGMLQuantizationType[kind])
    np.testing.assert_allclose(read, values, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", [one for one in KINDS if one != "IQ4_NL"])
def test_the_outputs_change_less_than_by_plain_rounding(
    kind: str, layer: tuple[Floats, Floats]
) -> None:
    weights, products = layer
    number = gguf.GGMLQuantizationType[kind]
    plain = gguf.dequantize(gguf.quantize(weights, number), number)
    _, values = rounded(weights, GRIDS[kind], weighing(products))
    assert _error(weights, values, products) < 0.7 * _error(weights, plain, products)


@pytest.mark.parametrize("kind", KINDS)
def test_codes_and_scales_that_are_decided_again_change_the_outputs_less(
    kind: str, layer: tuple[Floats, Floats]
) -> None:
    weights, products = layer
    grid, weighed = GRIDS[kind], weighing(products)
    carried = carried_codes(weights, grid, weighed.upper)
    found = improved(weights, carried, grid, weighed.products)
    before = _error(weights, carried.values(grid), weighed.products)
    after = _error(weights, found.values(grid), weighed.products)
    assert after < 0.97 * before


def test_improved_codes_leave_those_before_as_they_were(layer: tuple[Floats, Floats]) -> None:
    weights, products = layer
    weighed = weighing(products)
    carried = carried_codes(weights, GRIDS["Q5_1"], weighed.upper)
    before = [part.copy() for part in carried]
    improved(weights, carried, GRIDS["Q5_1"], weighed.products)
    for part, was in zip(carried, before, strict=True):
        np.testing.assert_array_equal(part, was)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_of_zero_stay_zero(kind: str) -> None:
    nothing = np.zeros((2, 32), np.float32)
    _, values = rounded(nothing, GRIDS[kind], weighing(np.eye(32, dtype=np.float32)))
    assert not np.isnan(values).any()
    assert not values.any()


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_blocks_of_256_hold_the_codes_where_llama_cpp_reads_them(kind: str) -> None:
    random = np.random.default_rng(7)
    number = gguf.GGMLQuantizationType[kind]
    size = gguf.GGML_QUANT_SIZES[number][1]
    blocks = random.integers(0, 100, (3, 2 * size)).astype(np.uint8)
    codes = random.integers(0, LAYOUTS[kind].high + 1, (3, 2 * SUPER)).astype(np.uint8)
    levels = [
        gguf.dequantize(with_codes(blocks, kind, np.full_like(codes, one)), number)
        for one in (0, 1)
    ]
    read = gguf.dequantize(with_codes(blocks, kind, codes), number)
    wanted = levels[0] + codes * (levels[1] - levels[0])
    np.testing.assert_allclose(read, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


@pytest.mark.parametrize("kind", sorted(LAYOUTS))
def test_scales_of_blocks_of_256_stay(kind: str) -> None:
    size = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[kind]][1]
    blocks = np.random.default_rng(7).integers(0, 256, (3, size)).astype(np.uint8)
    changed = with_codes(blocks, kind, np.zeros((3, SUPER), np.uint8))
    rest = np.delete(np.arange(size), LAYOUTS[kind].codes)
    np.testing.assert_array_equal(changed[:, rest], blocks[:, rest])


def test_a_token_that_is_far_larger_does_not_hide_the_others() -> None:
    values = np.random.default_rng(2).standard_normal((200, 16)).astype(np.float32)
    plain = values[1:].T @ values[1:]
    values[0] *= 1000
    assert np.abs(product_of_inputs(values) - plain).max() < 0.5 * np.diag(plain).max()


def test_tokens_of_like_size_count_as_they_are() -> None:
    values = np.random.default_rng(2).standard_normal((200, 64)).astype(np.float32)
    np.testing.assert_allclose(product_of_inputs(values), values.T @ values, rtol=1e-4, atol=1e-3)


def _choices() -> dict[str, list[TypeChoice]]:
    random = np.random.default_rng(11)
    found = {}
    for name in "abcdef":
        scale = random.uniform(0.5, 20)
        size = int(random.integers(100, 1000))
        found[name] = [
            TypeChoice(f"Q{bits}", size * bits, scale * 4.0**-bits) for bits in (2, 3, 4, 5, 8)
        ]
    return found


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_choice_is_close_to_the_best_of_all(share: float) -> None:
    many = _choices()
    least = sum(min(one.size for one in group) for group in many.values())
    most = sum(max(one.size for one in group) for group in many.values())
    room = least + share * (most - least)
    found = best_choice(many, room)
    assert sum(one.size for one in found.values()) <= room
    best = min(
        sum(one.cost for one in tried)
        for tried in product(*many.values())
        if sum(one.size for one in tried) <= room
    )
    assert sum(one.cost for one in found.values()) <= 1.1 * best


def test_the_frontier_has_less_cost_with_more_bytes() -> None:
    sizes, costs = zip(*frontier(_choices()), strict=True)
    assert len(sizes) > 4
    assert list(sizes) == sorted(set(sizes))
    assert list(costs) == sorted(costs, reverse=True)


def test_too_little_room_has_a_sentence_of_its_least() -> None:
    with pytest.raises(ValueError, match="bytes are the least"):
        best_choice(_choices(), 10)
