"""How much faster a model will be in int8, predicted from what is timed on the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studio.api import Graph, Node
from studio.models.macs import macs

_PRODUCTS = ("MatMul", "Gemm")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What int8 can bring.

    Attributes:
        kernels: What the processor has for arithmetic on bytes.
        share: Of the multiplications that can run in int8; None where shapes are not known.
        low, high: Between these the time over that of the float model is expected.
    """

    kernels: tuple[str, ...]
    share: float | None
    low: float
    high: float

    @property
    def sentence(self) -> str:
        """The answer in words."""
        names = ", ".join(self.kernels) or "no kernels for bytes that are known"
        if self.share is None:
            return f"This machine has {names}; how much of the model can use them is not known."
        if self.share == 0:
            return f"No: nothing in this model can run in int8 ({names})."
        verdict = "Yes" if self.high < 1 else "No" if self.low > 1 else "Hardly"
        return (
            f"{verdict}: about {self.low:.2f} to {self.high:.2f} of the float time on this machine "
            f"({names}; {100 * self.share:.0f} % of the multiplications can run in int8)."
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "kernels": list(self.kernels),
            "share": self.share,
            "low": self.low,
            "high": self.high,
            "sentence": self.sentence,
        }


def predict(graph: Graph, measured: Mapping[str, Any]) -> Outlook:
    """Each kind's part of the multiplications, times its lowest and its highest ratio.

    Depthwise convolutions and products of two activations stay in float, as the recipes leave
    them. What is not a multiplication (normalisation, softmax, copies) is not counted.

    Args:
        measured: ``kernels`` and ``ratios`` as a transform's ``outlook`` gives them.
    """
    parts = {"Conv": 0.0, "MatMul": 0.0, "float": 0.0}
    for node in graph.nodes:
        parts[_kind(node, graph)] += macs(node, graph) or 0
    total = sum(parts.values())
    kernels, ratios = tuple(measured["kernels"]), measured["ratios"]
    if not total:
        return Outlook(kernels, None, 1.0, 1.0)
    ends = [
        (parts["float"] + sum(parts[kind] * ratios[kind][end] for kind in ("Conv", "MatMul")))
        / total
        for end in (0, 1)
    ]
    return Outlook(kernels, 1 - parts["float"] / total, ends[0], ends[1])


def _kind(node: Node, graph: Graph) -> str:
    if node.operator in _PRODUCTS:
        return "MatMul" if set(node.inputs[1:2]) & set(graph.initializers) else "float"
    is_plain = node.operator == "Conv" and node.attributes.get("group", 1) == 1
    return "Conv" if is_plain else "float"
