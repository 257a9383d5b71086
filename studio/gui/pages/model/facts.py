"""The Model page's facts of a variant, read from the summary of its safety check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from studio.documents.repeated_names import by_pattern
from studio.gui import figures
from studio.gui.graph.costs import short_count
from studio.gui.pages.model.edit_list import described
from studio.models.results import IntakeFinding, ModelFigures, Terminal
from studio.models.surgery.results import edits_of
from studio.workspace import readable_shape

if TYPE_CHECKING:
    from studio.workspace import VariantRecord

_TONES = {"warning": "warning", "error": "bad"}


def figures_of(variant: VariantRecord) -> list[tuple[str, str]]:
    """Return names and values of the main figures."""
    model = ModelFigures.read(variant.summary)
    fields = [
        ("Parameters", short_count(model.parameters)),
        ("MACs", _macs(model)),
        ("File", figures.size(variant.size)),
        ("Weights", figures.size(model.weight_bytes)),
        ("Activations", figures.size(model.activation_bytes)),
        ("Nodes", figures.whole(model.nodes)),
        ("Precision", variant.precision),
        ("Context", _context(model)),
        ("Opset", opset(model)),
        ("Producer", model.producer),
    ]
    return [(name, value) for name, value in fields if value and value != figures.NOTHING]


def _context(model: ModelFigures) -> str:
    tokens = model.language.context if model.language else None
    return f"{tokens:,} tokens" if tokens else ""


def _macs(model: ModelFigures) -> str:
    if not model.macs and model.macs_unknown:
        return "Unknown: dynamic shapes"
    text, assumed = short_count(model.macs), model.assumed_shapes
    if text != figures.NOTHING and assumed:
        alike = by_pattern(assumed.items(), lambda one: one[0], lambda one: one[1])
        shapes = ", ".join(f"{name} {'×'.join(map(str, one[1]))}" for name, one, _ in alike)
        return f"{text} at {shapes}"
    return text


def opset(model: ModelFigures) -> str:
    """Operator sets of the domains that are used: ``17, com.microsoft 1``.

    Converters declare every domain that they know; the standard one and those that some operator
    belongs to are what a runtime must have.
    """
    declared = model.opset
    used = [
        domain
        for domain in declared
        if domain in ("", "ai.onnx")
        or any(name.startswith(f"{domain}.") for name in model.operators)
    ]
    shown = used or list(declared)
    return ", ".join(f"{domain} {declared[domain]}".strip() for domain in shown)


def terminals(values: Iterable[Terminal]) -> list[tuple[str, str]]:
    """Inputs or outputs as names and types; those that differ in a number are one line."""
    alike = by_pattern(values, lambda one: one.name, lambda one: (one.dtype, one.shape))
    return [
        (
            name if count == 1 else f"{name} ({count})",
            f"{value.dtype} {readable_shape(value.shape)}".strip(),
        )
        for name, value, count in alike
    ]


def operators(model: ModelFigures) -> list[tuple[str, int, float | None]]:
    """Operators with their number and their share of all MACs, the most frequent first."""
    work, total = model.macs_by_operator, model.macs or 0
    return [
        (name, number, work[name] / total if name in work and total else None)
        for name, number in model.operators.items()
    ]


def tone_of(finding: IntakeFinding) -> str:
    """Return the tone of a finding's level."""
    return _TONES.get(finding.level, "")


def origin(variant: VariantRecord, parent: str) -> list[tuple[str, str]]:
    """Return where a variant comes from: a file, or another variant and what was done with it.

    Args:
        parent: Name of the variant that it was made of; empty for one that was opened.
    """
    fields = [("Variant", variant.name)]
    if parent:
        fields += [
            ("Parent", parent),
            ("Created by", variant.step),
            ("Created", figures.moment(variant.created)),
        ]
        for place, one in enumerate(edits_of(variant.summary), 1):
            fields.append((f"Edit {place}", f"{one.edit}: {described(one)}"))
    else:
        fields += [
            ("Opened", figures.moment(variant.created)),
            ("Source file", str(variant.source_file or figures.NOTHING)),
        ]
    return [*fields, ("SHA-256", f"{variant.digest[:16]}…")]
