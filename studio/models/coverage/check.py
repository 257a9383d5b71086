"""The check of a model against a release of ONNX Runtime: what is at fault, and where."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from studio.api import Graph, Model
from studio.models.coverage.releases import Release, first_with, first_with_type, order_of
from studio.models.results import Problem
from studio.models.walk import all_graphs

_STANDARD = ("", "ai.onnx")
_BUILT_IN = frozenset({*_STANDARD, "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc"})
"""Domains whose operators come with the runtime itself."""


def too_new(opsets: Mapping[str, int], ir: int, release: Release) -> Iterator[Problem]:
    """Compare operator set and file version with a release, without a graph."""
    opset = max((opsets[domain] for domain in _STANDARD if domain in opsets), default=0)
    needed = first_with(opset, ir)
    hint = (
        f"It takes ONNX Runtime {needed.version} or newer"
        if needed
        else "No release loads the model"
    )
    if opset > release.opset:
        text = f"The model uses operator set {opset}; ONNX Runtime {release.version} loads"
        convert = f"convert it: studio edit MODEL --edit 'opset {release.opset}'."
        yield Problem("opset", f"{text} up to {release.opset}.", f"{hint}; or {convert}")
    if ir > release.ir:
        text = f"The model's file has version {ir}; ONNX Runtime {release.version} loads"
        yield Problem("ir", f"{text} up to {release.ir}.", f"{hint}.")


def check(
    model: Model, release: Release, memory_mb: int = 0, need_mb: float = 0.0
) -> tuple[Problem, ...]:
    """Return every problem of a model with a release.

    Args:
        memory_mb: Of the machine; 0 where it is not known.
        need_mb: What model and activations take.
    """
    found = [*too_new(model.opsets, model.ir_version, release)]
    for graph in (model.graph, *model.functions.values()):
        found += _domains(graph, frozenset(name.partition(":")[0] for name in model.functions))
        found += _types(graph, release)
    if memory_mb and need_mb > memory_mb:
        text = f"The model needs about {need_mb:,.0f} MB, and the machine has {memory_mb:,} MB."
        found.append(Problem("memory", text, "Quantize the model, or fix its dynamic dimensions."))
    return tuple(found)


def _domains(graph: Graph, own: frozenset[str]) -> Iterator[Problem]:
    by_domain: dict[str, list[str]] = defaultdict(list)
    for part in all_graphs(graph):
        for node in part.nodes:
            if node.domain not in _BUILT_IN and node.domain not in own:
                by_domain[node.domain].append(node.name)
    for domain, nodes in sorted(by_domain.items()):
        text = f"{len(nodes)} operators of the domain {domain} are not part of ONNX Runtime."
        yield Problem(
            "domain", text, "Install the library with these operators on the board.", tuple(nodes)
        )


def _types(graph: Graph, release: Release) -> Iterator[Problem]:
    by_type: dict[str, list[str]] = defaultdict(list)
    for part in all_graphs(graph):
        for node in part.nodes:
            kinds = (part.type_of(name) for name in (*node.inputs, *node.outputs) if name)
            for dtype in {kind.dtype for kind in kinds if kind is not None}:
                first = first_with_type(dtype)
                if first and release.order < order_of(first):
                    by_type[dtype].append(node.name)
    for dtype, nodes in sorted(by_type.items()):
        text = f"{len(nodes)} nodes use {dtype}, which ONNX Runtime {release.version} lacks."
        hint = f"It takes {first_with_type(dtype)} or newer."
        yield Problem("type", text, hint, tuple(nodes))
