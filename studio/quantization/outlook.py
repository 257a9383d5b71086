"""How much faster a model will be in int8, predicted from what is timed on the machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from studio.api import Graph, Node
from studio.models.macs import macs

_PRODUCTS = ("MatMul", "Gemm")
_VARIES = 0.03
_IN_INT8 = ("Conv", "MatMul")
_RATES = {"Conv": "Conv", "MatMul": "MatMul", "depthwise": "depthwise", "product": "MatMul"}
"""Kinds of layers, and what was timed for them: products of two activations go like the others."""

_UNSEEN = 0.25
"""Time that is not counted, as a share of what is, at the high end: copies, normalisation and such.
It is the same in float and in int8, and so takes the ratio nearer to 1."""

_FREE = frozenset(
    {"Constant", "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Dropout"}
    | {"Relu", "Clip", "BatchNormalization", "Cast", "Shape"}
)
"""Operators that a runtime folds, fuses, or does without copying."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What int8 can bring.

    Attributes:
        kernels: What the processor has for arithmetic on bytes.
        share: Of the multiplications that can run in int8; None where shapes are not known.
        low, high: Between these the time over that of the float model is expected.
        tried: Whether they come from a trial of the model instead of small layers.
    """

    kernels: tuple[str, ...]
    share: float | None
    low: float
    high: float
    tried: bool = False

    def with_trial(self, low: float, high: float) -> Outlook:
        """The same from a trial's interval, wider by what machines vary from run to run."""
        return replace(self, low=low * (1 - _VARIES), high=high * (1 + _VARIES), tried=True)

    @property
    def sentence(self) -> str:
        """The answer in words."""
        names = ", ".join(self.kernels) or "no kernels for bytes that are known"
        if self.share is None and not self.tried:
            return f"This machine has {names}; how much of the model can use them is not known."
        if self.share == 0:
            return f"No: nothing in this model can run in int8 ({names})."
        verdict = "Yes" if self.high < 1 else "No" if self.low > 1 else "Hardly"
        told = [names, "tried with one sample" if self.tried else ""]
        if self.share is not None:
            told.append(f"{100 * self.share:.0f} % of the multiplications can run in int8")
        return (
            f"{verdict}: about {self.low:.2f} to {self.high:.2f} of the float time on this machine "
            f"({'; '.join(part for part in told if part)})."
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "kernels": list(self.kernels),
            "share": self.share,
            "low": self.low,
            "high": self.high,
            "tried": self.tried,
            "sentence": self.sentence,
        }


def predict(graph: Graph, measured: Mapping[str, Any]) -> Outlook:
    """The time of each kind of layer, times its lowest and its highest ratio.

    Depthwise convolutions and products of two activations stay in float, as the recipes leave
    them. A layer takes what one takes that has no work, and its multiplications at the measured
    rate; what is no layer takes what a node takes that does next to nothing. Large values that are
    copied, normalised or rounded take longer: at the high end a quarter is added for them.

    Args:
        measured: ``kernels``, ``ratios``, ``rates``, ``layer_us``, ``node_us`` and ``run_us`` as a
            transform's ``outlook`` gives them.
    """
    work = dict.fromkeys(_RATES, 0.0)
    layers = dict.fromkeys(_RATES, 0)
    others = 0
    for node in graph.nodes:
        kind = _kind(node, graph)
        if kind is None:
            others += node.operator not in _FREE
        else:
            work[kind] += macs(node, graph) or 0
            layers[kind] += 1
    kernels, total = tuple(measured["kernels"]), sum(work.values())
    if not total:
        return Outlook(kernels, None, 1.0, 1.0)
    times = {kind: amount / measured["rates"][_RATES[kind]] for kind, amount in work.items()}
    fixed, quantized = measured["layer_us"], sum(layers[kind] for kind in _IN_INT8)
    rest = measured["run_us"] + measured["node_us"] * others
    for kind in ("depthwise", "product"):
        rest += times[kind] + fixed[0] * layers[kind]
    before = rest + fixed[0] * quantized + sum(times[kind] for kind in _IN_INT8)
    after = [
        rest
        + fixed[1] * quantized
        + sum(times[kind] * measured["ratios"][kind][end] for kind in _IN_INT8)
        for end in (0, 1)
    ]
    share = sum(work[kind] for kind in _IN_INT8) / total
    high = (after[1] / before + _UNSEEN) / (1 + _UNSEEN)
    return Outlook(kernels, share, after[0] / before, high)


def _kind(node: Node, graph: Graph) -> str | None:
    """What a layer is timed as; None for what is no layer."""
    if node.operator in _PRODUCTS:
        return "MatMul" if set(node.inputs[1:2]) & set(graph.initializers) else "product"
    if node.operator != "Conv":
        return None
    return "Conv" if node.attributes.get("group", 1) == 1 else "depthwise"
