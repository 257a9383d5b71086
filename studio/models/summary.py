"""Figures of a model: size, work, memory, operators, precision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from studio.api import Graph, LanguageModel, Model, Value
from studio.models.language.precisions import (
    StoredWeights,
    is_quantized,
    precision,
    shares,
    stored_weights,
)
from studio.models.macs import macs
from studio.models.memory import activation_peak
from studio.models.results import LanguageFacts, ModelSummary, Terminal
from studio.models.walk import all_nodes

_LICENCES = ("license", "licence", "spdx", "license_name")
"""Keys of the metadata by which exporters name the licence."""


def summary(model: Model, sized: Model, assumed: Mapping[str, tuple[int, ...]]) -> ModelSummary:
    """Return the figures of a model.

    Args:
        sized: The same model with its open sizes fixed; MACs and memory are computed on it.
        assumed: The shapes that were fixed by assumption, by input.
    """
    graph = model.graph
    weights = stored_weights(model)
    common = precision(model, weights)
    work, unknown = _work(sized.graph)
    return ModelSummary(
        format=model.format,
        nodes=len(graph.nodes),
        parameters=sum(weight.parameters for weight in weights),
        macs=sum(work.values()) if work or not unknown else None,
        macs_by_operator=dict(work.most_common()),
        macs_unknown=unknown,
        assumed_shapes=assumed,
        weight_bytes=sum(weight.nbytes for weight in weights),
        activation_bytes=activation_peak(sized.graph),
        operators=dict(
            Counter(_qualified(n.domain, n.operator) for n in all_nodes(graph)).most_common()
        ),
        opset=model.opsets,
        ir_version=model.ir_version,
        producer=model.producer,
        licence=_licence(model.metadata),
        precision=common,
        quantized=is_quantized(model, common),
        functions=len(model.functions),
        inputs=tuple(map(_terminal, graph.inputs)),
        outputs=tuple(map(_terminal, graph.outputs)),
        language=None if model.language is None else _language(model.language, weights),
    )


def _language(model: LanguageModel, weights: tuple[StoredWeights, ...]) -> LanguageFacts:
    shown = {name: getattr(model, name) for name in _LANGUAGE}
    return LanguageFacts(**shown, cache_bytes=model.cache_bytes(), precisions=shares(weights))


_LANGUAGE = (
    *("architecture", "layers", "heads", "kv_heads", "width", "vocabulary", "context"),
    *("tokenizer", "chat_template"),
)


def _licence(metadata: Mapping[str, str]) -> str:
    """Return the model's own licence, or "" without one."""
    known = {key.lower(): value for key, value in metadata.items()}
    return next((known[name].strip() for name in _LICENCES if known.get(name)), "")


def _work(graph: Graph) -> tuple[Counter[str], int]:
    """Return MACs by operator, and the number of nodes with unknown MACs."""
    work: Counter[str] = Counter()
    unknown = 0
    for node in graph.nodes:
        count = macs(node, graph)
        if count is None:
            unknown += 1
        elif count:
            work[node.operator] += count
    return work, unknown


def _qualified(domain: str, operator: str) -> str:
    return f"{domain}.{operator}" if domain else operator


def _terminal(value: Value) -> Terminal:
    kind = value.type
    return Terminal(value.name, kind.dtype if kind else "unknown", kind.shape if kind else None)
