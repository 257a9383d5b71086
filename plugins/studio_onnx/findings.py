"""Findings of the safety check: operators, domains, names, versions, sizes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx
import onnx.defs

from studio.api import Finding, Graph, Level
from studio_onnx.order import missing
from studio_onnx.shapes import why_skipped
from studio_onnx.structure import WalkedModel

_STANDARD = {"", "ai.onnx", "ai.onnx.ml"}
_RUNTIME = {"com.microsoft", "com.microsoft.nchwc", "ai.onnx.training", "ai.onnx.preview.training"}
_RUNTIME_OPERATORS = {"SimplifiedLayerNormalization"}
"""Operators of ONNX Runtime that it keeps in the standard domain, as its builders write them."""

_COMPILED = "EPContext"
"""The operator of ONNX Runtime whose attribute has the code of one chip."""

_MOST_VERSION = 2**31 - 1
"""Largest version that the library accepts."""


Operators = Mapping[tuple[str, str], int]
"""How often each operator occurs, by domain and name."""


@dataclass(frozen=True, slots=True)
class Order:
    """Result of sorting the nodes in the order of their data.

    Attributes:
        moved: The graphs whose nodes stand in another order in the file.
        graph: The main graph in that order; None if it has a cycle.
        refusal: Why the graph cannot be sorted.
    """

    moved: Sequence[str] = ()
    graph: Graph | None = None
    refusal: str = ""


def find(
    model: onnx.ModelProto, walked: WalkedModel, external: Sequence[Path], order: Order
) -> Iterator[Finding]:
    """Yield every finding; one with level ERROR makes the model unusable."""
    operators = Counter(walked.operators)
    yield from _versions(model)
    yield from _domains(model, operators)
    yield from _unknown_operators(model, operators)
    yield from _structure(model, order)
    yield from _names(walked)
    if external:
        size = sum(path.stat().st_size for path in external)
        files = f"{len(external)} file{'s' if len(external) > 1 else ''}"
        yield Finding(Level.INFO, "external-data", f"Weights are in {files} ({size:,} bytes).")
    reason = why_skipped(model, walked)
    if reason:
        yield Finding(Level.INFO, "shapes-skipped", f"Shapes were not inferred: {reason}.")


def _versions(model: onnx.ModelProto) -> Iterator[Finding]:
    if not model.opset_import and not model.functions:
        text = "The model names no operator set; it may be cut off."
        yield Finding(Level.ERROR, "no-opset", text)
    newest = onnx.defs.onnx_opset_version()
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx") and entry.version > newest:
            text = f"Operator set {entry.version} is newer than the newest known ({newest})."
            yield Finding(Level.WARNING, "new-opset", text)
    if model.ir_version > onnx.IR_VERSION:
        text = f"IR version {model.ir_version} is newer than the newest known ({onnx.IR_VERSION})."
        yield Finding(Level.WARNING, "new-ir", text)


def _domains(model: onnx.ModelProto, operators: Operators) -> Iterator[Finding]:
    local = {(function.domain, function.name) for function in model.functions}
    counts: Counter[str] = Counter()
    for (domain, operator), count in operators.items():
        if domain not in _STANDARD and (domain, operator) not in local:
            counts[domain] += count
        elif operator in _RUNTIME_OPERATORS and (domain, operator) not in local:
            counts["com.microsoft"] += count
    for domain, count in sorted(counts.items()):
        many = f"{count} node{'s' if count > 1 else ''}"
        if operators.get((domain, _COMPILED)):
            text = f"{many} of domain {domain}, compiled for one chip: only that chip runs them."
            yield Finding(Level.WARNING, "compiled-domain", text)
        elif domain in _RUNTIME:
            text = f"{many} of domain {domain}: only ONNX Runtime runs them."
            yield Finding(Level.INFO, "runtime-domain", text)
        else:
            text = f"{many} of custom domain {domain}: no runtime runs them without its library."
            yield Finding(Level.WARNING, "custom-domain", text)


def _unknown_operators(model: onnx.ModelProto, operators: Operators) -> Iterator[Finding]:
    versions = {entry.domain or "ai.onnx": entry.version for entry in model.opset_import}
    local = {function.name for function in model.functions}
    for (domain, operator), count in sorted(operators.items()):
        if domain not in _STANDARD or operator in _RUNTIME_OPERATORS:
            continue
        short = "" if domain == "ai.onnx" else domain
        version = versions.get(domain or "ai.onnx", onnx.defs.onnx_opset_version())
        if operator in local or _is_known(operator, version, short):
            continue
        text = f"Operator {operator} ({count}x) is not in operator set {version}."
        yield Finding(Level.WARNING, "unknown-operator", text)


def _is_known(operator: str, version: int, domain: str) -> bool:
    """Return whether the library knows an operator; a file may name any version of its set."""
    return bool(onnx.defs.has(operator, min(max(0, version), _MOST_VERSION), domain))


def _structure(model: onnx.ModelProto, order: Order) -> Iterator[Finding]:
    """Yield cycles, values produced twice, and values that no node produces."""
    if not model.graph.output:
        yield Finding(Level.ERROR, "no-output", "The graph has no output.")
    for name in order.moved:
        text = f"Nodes of graph {name!r} were put in the order of their data."
        yield Finding(Level.INFO, "reordered", text)
    if order.graph is None:
        yield Finding(Level.ERROR, "bad-structure", order.refusal)
        return
    names = sorted(missing(order.graph))
    if names:
        more = f" (and {len(names) - 1} more)" if len(names) > 1 else ""
        text = f"Value {names[0]!r} is read, but nothing produces it{more}."
        yield Finding(Level.ERROR, "missing-value", text)


def _names(walked: WalkedModel) -> Iterator[Finding]:
    for graph in walked.graphs:
        names = [node.name for node in graph.node]
        if len(set(names)) == len(names):
            continue
        counts = Counter(filter(None, names))
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            more = f" (and {len(twice) - 1} more names)" if len(twice) > 1 else ""
            text = f"Several nodes are named {twice[0]!r}{more}; they were numbered."
            yield Finding(Level.WARNING, "duplicate-names", text)
