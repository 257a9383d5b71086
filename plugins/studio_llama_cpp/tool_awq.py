"""Scales of input channels that protect the weights that count: AWQ (Lin et al., 2023).

A product of weights and inputs stays the same when a column of the weights is multiplied and its
input divided by one number. The division goes into the norm, or into the rows of the weights, in
front of the product.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from studio_llama_cpp.tool_library import Array

Round = Callable[[Array, Array], Array]
"""Returns weights (rows, columns) as a type holds them; the second gives errors their weights."""

_POWERS = np.linspace(0, 0.95, 20)
_ROWS = 128
"""Rows of a weight that errors are computed on."""

_PART = re.compile(r"(blk\.\d+\.)(attn_q|attn_k|attn_v|ffn_gate|ffn_up|ffn_down)\.weight")
_IN_FRONT = {
    **dict.fromkeys(("attn_q", "attn_k", "attn_v"), "attn_norm"),
    **dict.fromkeys(("ffn_gate", "ffn_up"), "ffn_norm"),
    "ffn_down": "ffn_up",
}


class ScaledWeights:
    """The weights of a model, scaled group by group.

    Args:
        read: Gives the values of a tensor by its name.
    """

    def __init__(self, read: Callable[[str], Array], names: Sequence[str]) -> None:
        self._read, self._names = read, frozenset(names)
        self.changed: dict[str, Array] = {}

    def of(self, name: str) -> Array:
        """Return a tensor as it is now."""
        return self.changed[name] if name in self.changed else self._read(name)

    def scale(
        self, groups: Mapping[str, Sequence[str]], products: Mapping[str, Array], rounding: Round
    ) -> dict[str, Array]:
        """Scale all groups that have a part in front; return the products of the new inputs."""
        found = dict(products)
        # What divides the rows of ffn_up comes before the columns of ffn_up are scaled.
        order = sorted(groups, key=lambda first: not first.endswith("ffn_down.weight"))
        for first in order:
            front = self._in_front(groups[first])
            if not front:
                continue
            scale = self._best(groups[first], products[first], rounding)
            for name in groups[first]:
                self.changed[name] = self.of(name) * scale
            part = self.of(front)
            self.changed[front] = part / (scale if part.ndim == 1 else scale[:, None])
            found[first] = products[first] / np.outer(scale, scale)
        return found

    def _in_front(self, names: Sequence[str]) -> str:
        """Return the tensor that can take the inverse scale; empty without one."""
        parts = [_PART.fullmatch(name) for name in names]
        fronts = {f"{one[1]}{_IN_FRONT[one[2]]}.weight" if one else "" for one in parts}
        front = fronts.pop() if len(fronts) == 1 else ""
        has_bias = front.replace(".weight", ".bias") in self._names
        known = front in self._names and not has_bias and self._whole(front, names)
        return front if known else ""

    def _whole(self, front: str, names: Sequence[str]) -> bool:
        """Whether all that reads a norm is in the group."""
        if not front.endswith("_norm.weight"):
            return True
        base, _, part = front.removesuffix(".weight").rpartition(".")
        readers = {short for short, norm in _IN_FRONT.items() if norm == part}
        here = {name for name in (f"{base}.{one}.weight" for one in readers) if name in self._names}
        return here == set(names)

    def _best(self, names: Sequence[str], products: Array, rounding: Round) -> Array:
        """Return the scale of each column with the least error of the outputs."""
        sizes = np.sqrt(np.maximum(np.diag(products), 1e-20))
        parts = [self._sample(name) for name in names]
        best, least = np.ones(len(sizes), np.float32), np.inf
        for power in _POWERS:
            scale = np.maximum(sizes, 1e-8) ** power
            scale = (scale / np.sqrt(scale.max() * scale.min())).astype(np.float32)
            weight = np.diag(products) / scale**2
            gaps = [rounding(part * scale, weight) / scale - part for part in parts]
            error = sum(float(np.einsum("ij,ij->", gap @ products, gap)) for gap in gaps)
            if error < least:
                best, least = scale, error
        return best

    def _sample(self, name: str) -> Array:
        whole = self.of(name)
        return np.ascontiguousarray(whole[:: -(-len(whole) // _ROWS)])
