"""What the Model page says of a variant, out of the summary that opening it left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from studio.gui import figures
from studio.gui.graph.costs import short_count
from studio.gui.pages.model.edit_list import told

if TYPE_CHECKING:
    from studio.workspace import VariantRecord

_TONES = {"warning": "warning", "error": "bad"}


@dataclass(frozen=True, slots=True)
class FindingText:
    """An intake finding with the tone of its level."""

    level: str
    tone: str
    text: str


def figures_of(variant: VariantRecord) -> list[tuple[str, str]]:
    """Names and values of the main figures."""
    summary = variant.summary
    fields = [
        ("Parameters", short_count(summary.get("parameters"))),
        ("MACs", _macs(summary)),
        ("File", figures.size(variant.size)),
        ("Weights", figures.size(summary.get("weight_bytes"))),
        ("Activations", figures.size(summary.get("activation_bytes"))),
        ("Nodes", figures.whole(summary.get("nodes"))),
        ("Precision", variant.precision),
        ("Opset", opset(summary)),
        ("Producer", str(summary.get("producer") or "")),
    ]
    return [(name, value) for name, value in fields if value and value != figures.NOTHING]


def _macs(summary: Mapping[str, Any]) -> str:
    if not summary.get("macs") and summary.get("macs_unknown"):
        return "Unknown: dynamic shapes"
    text = short_count(summary.get("macs"))
    assumed = summary.get("assumed_shapes")
    if text != figures.NOTHING and isinstance(assumed, Mapping) and assumed:
        shapes = ", ".join(f"{name} {'×'.join(map(str, s))}" for name, s in assumed.items())
        return f"{text} at {shapes}"
    return text


def opset(summary: Mapping[str, Any]) -> str:
    """Operator sets of the domains that are used: ``17, com.microsoft 1``.

    Converters declare every domain that they know; the standard one and those that some operator
    belongs to are what a runtime must have.
    """
    declared = summary.get("opset")
    if not isinstance(declared, Mapping):
        return "" if declared is None else str(declared)
    operators = summary.get("operators")
    names = operators if isinstance(operators, Mapping) else {}
    used = [
        domain
        for domain in declared
        if domain in ("", "ai.onnx") or any(name.startswith(f"{domain}.") for name in names)
    ]
    shown = used or list(declared)
    return ", ".join(f"{domain} {declared[domain]}".strip() for domain in shown)


def terminals(variant: VariantRecord, which: str) -> list[tuple[str, str]]:
    """Inputs or outputs as names and types."""
    values = variant.summary.get(which)
    if not isinstance(values, list):
        return []
    rows = []
    for value in values:
        shape = value.get("shape")
        text = "" if shape is None else " " + "×".join("?" if d is None else str(d) for d in shape)
        rows.append((str(value.get("name", "")), f"{value.get('dtype', '')}{text}"))
    return rows


def operators(variant: VariantRecord) -> list[tuple[str, int, float | None]]:
    """Operators with their number and their share of all MACs, the most frequent first."""
    summary = variant.summary
    counts = summary.get("operators")
    work = summary.get("macs_by_operator")
    work = work if isinstance(work, Mapping) else {}
    total = figures.number(summary.get("macs")) or 0.0
    if not isinstance(counts, Mapping):
        return []
    return [
        (name, int(number), work[name] / total if name in work and total else None)
        for name, number in counts.items()
    ]


def findings(variant: VariantRecord) -> list[FindingText]:
    """What was found when the file was first looked at."""
    found = variant.summary.get("intake")
    if not isinstance(found, list):
        return []
    return [
        FindingText(
            str(item.get("level", "info")),
            _TONES.get(str(item.get("level")), ""),
            str(item.get("text", "")),
        )
        for item in found
    ]


def origin(variant: VariantRecord, parent: str) -> list[tuple[str, str]]:
    """Where a variant comes from: a file, or another variant and what was done with it.

    Args:
        parent: Name of the variant that it was made of; empty for one that was opened.
    """
    fields = [("Variant", variant.name)]
    if parent:
        fields += [
            ("Parent", parent),
            ("By", variant.step),
            ("On", figures.moment(variant.created)),
        ]
        for place, one in enumerate(variant.summary.get("edits") or (), 1):
            fields.append((f"Edit {place}", f"{one['edit']}: {told(one)}"))
    else:
        fields += [
            ("Opened", figures.moment(variant.created)),
            ("Source file", str(variant.options.get("model", figures.NOTHING))),
        ]
    return [*fields, ("SHA-256", f"{variant.digest[:16]}…")]
