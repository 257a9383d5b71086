"""Measurements on a text: divergence from the float model, and the products of inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from studio_llama_cpp.tool_library import Array
from studio_llama_cpp.tool_model import FloatModel, log_softmax

WINDOW = 512
_DRAWS = 1000
_SKIP = 32
"""First tokens of a window, which have too little in front of them to count."""

_MOST = 10.0
"""Squared length of an input at most, over that of the token in the middle."""

Tick = Callable[[str], None]


def windows(model: FloatModel, text: str, count: int) -> list[list[int]]:
    """Return windows of tokens, spread evenly over a text.

    Raises:
        ValueError: when the text is shorter than one window.
    """
    tokens = model.encode(text)
    whole = len(tokens) // WINDOW
    if not whole:
        raise ValueError(f"the text has {len(tokens)} tokens, and {WINDOW} are needed")
    places = np.unique(np.linspace(0, whole - 1, min(count, whole)).round().astype(int))
    return [tokens[place * WINDOW : (place + 1) * WINDOW] for place in places]


class Divergence:
    """Kullback-Leibler divergence from the model as it was first, in nats of a token."""

    def __init__(self, model: FloatModel, chosen: Sequence[Sequence[int]], stride: int = 1) -> None:
        self._model, self._windows, self._stride = model, chosen, stride
        self._float = [log_softmax(self._scores(one)).astype(np.float16) for one in chosen]

    def of_model(self, other: FloatModel | None = None) -> Array:
        """Return the divergence of each token of the model as it is now, or of another one."""
        parts = []
        for one, first in zip(self._windows, self._float, strict=True):
            now = log_softmax(self._scores(one, other))
            then = first.astype(np.float32)
            parts.append(np.einsum("ij,ij->i", np.exp(then), then - now))
        return np.concatenate(parts)

    def mean(self) -> float:
        """Return the mean over the tokens."""
        return float(self.of_model().mean())

    def _scores(self, tokens: Sequence[int], other: FloatModel | None = None) -> Array:
        return (other or self._model).scores(tokens, range(_SKIP, len(tokens), self._stride))


class Inputs(NamedTuple):
    """Inputs of products with weights.

    Attributes:
        products: Mean over tokens of the input times itself, by the first name of a group.
        groups: Names of the weights that share an input.
    """

    products: dict[str, Array]
    groups: dict[str, list[str]]

    def of(self) -> Mapping[str, str]:
        """Return the group of each weight."""
        return {name: first for first, names in self.groups.items() for name in names}


def inputs(model: FloatModel, chosen: Sequence[Sequence[int]], tick: Tick) -> Inputs:
    """Return the inputs of all products with weights, over windows of tokens."""
    found = Inputs({}, {})
    last: tuple[str, bytes] = ("", b"")

    def learn(name: str, values: Array) -> bool:
        nonlocal last
        mark = values[:2].tobytes() + values[-1].tobytes()
        if mark == last[1]:
            found.groups[last[0]].append(name)
            return True
        last = (name, mark)
        found.groups[name] = [name]
        found.products[name] = product(values)
        return True

    def add(name: str, values: Array) -> bool:
        found.products[name] += product(values)
        return True

    for number, tokens in enumerate(chosen):
        tick(f"Reading the inputs of the layers, text {number + 1} of {len(chosen)}")
        if number:
            model.listen(tokens, found.products.__contains__, add)
        else:
            model.listen(tokens, lambda name: True, learn)
    count = sum(len(one) for one in chosen)
    for products in found.products.values():
        products /= count
    return found


def product(values: Array) -> Array:
    """Return the product of inputs (tokens, columns) with themselves, large tokens limited.

    The first token of a window can be a thousand times larger than all others (massive
    activations, Sun et al., 2024). The norm of the next layer divides its errors by that size, but
    in a sum of squares it would hide the others.
    """
    sizes = np.einsum("ij,ij->i", values, values)
    most = _MOST * float(np.median(sizes))
    limited = values * np.sqrt(np.minimum(1, most / np.maximum(sizes, 1e-30)))[:, None]
    found: Array = limited.T @ limited
    return found


def interval(values: Array) -> tuple[float, float]:
    """Return the interval of a mean at 95 %, by drawing blocks of neighbouring tokens."""
    count = max(1, len(values) // 32)
    means = np.array([part.mean() for part in np.array_split(values, count)])
    drawn = np.random.default_rng(0).integers(0, count, (_DRAWS, count))
    low, high = np.quantile(means[drawn].mean(1), (0.025, 0.975))
    return max(float(low), 0.0), float(high)
