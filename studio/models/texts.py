"""Messages of the steps about models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from studio.documents.repeated_names import by_pattern
from studio.documents.text_table import count, counted, table
from studio.models.results import (
    AnalysisResult,
    CoverageResult,
    DiffResult,
    GraphResult,
    LanguageFacts,
    ModelFigures,
    Terminal,
)
from studio.models.surgery.results import EditOutcome, EditResult

_MOST_CHANGES = 8
"""Lines of each sort of change; ``--json`` has them all."""

_MOST_NUMBERS = 20
_GATE_MISSED = 3


def _macs(result: ModelFigures) -> str:
    unknown = result.macs_unknown
    if unknown and not result.macs:
        return f"unknown MACs ({unknown:,} of unknown size)"
    less = f" without {unknown:,} of unknown size" if unknown else ""
    return f"{count(result.macs or 0)} MACs{less}"


def inspected(result: ModelFigures) -> list[str]:
    """Return a model in a few lines."""
    lines = [
        ", opset ".join(filter(None, (result.format, _opsets(result)))),
        f"{result.nodes:,} nodes, {count(result.parameters or 0)} parameters, "
        + _macs(result)
        + _assumed(result),
    ]
    for title, values in (("input", result.inputs), ("output", result.outputs)):
        for name, value, number in by_pattern(values, _name_of, _type_of):
            shape = " x ".join("?" if d is None else str(d) for d in value.shape or ())
            times = f"  ({number} times)" if number > 1 else ""
            lines.append(f"{title:<7} {name}  {value.dtype}  {shape}{times}")
    if result.language is not None:
        lines += language(result.language)
    return [*lines, *(f"{finding.level}: {finding.text}" for finding in result.intake)]


def language(found: LanguageFacts) -> list[str]:
    """Return what is known of a language model, a line for each fact."""
    rows = (
        ("architecture", _architecture(found)),
        ("weights", _precisions(found)),
        ("context", _context(found)),
        ("tokenizer", _tokenizer(found)),
        ("template", f"{len(found.chat_template):,} characters" if found.chat_template else ""),
    )
    return [f"{name:<12} {text}" for name, text in rows if text]


def _architecture(found: LanguageFacts) -> str:
    parts = [found.architecture]
    if found.layers:
        parts.append(counted(found.layers, "layer"))
    if found.heads:
        parts.append(f"{found.heads} heads ({found.kv_heads or found.heads} of keys)")
    if found.width:
        parts.append(f"width {found.width:,}")
    return ", ".join(parts)


def _precisions(found: LanguageFacts) -> str:
    """Return the share of each precision, the most frequent first."""
    total = sum(found.precisions.values()) or 1
    return ", ".join(
        f"{name} {_percent(number / total)}" for name, number in found.precisions.items()
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.0005 else "below .1 %"


def _context(found: LanguageFacts) -> str:
    if found.context is None:
        return ""
    text = f"{found.context:,} tokens"
    if found.cache_bytes is None:
        return text
    whole = found.cache_bytes * found.context / 1e6
    return f"{text}; keys and values take {found.cache_bytes:,} bytes each in fp16, {whole:,.0f} MB"


def _tokenizer(found: LanguageFacts) -> str:
    words = f"{found.vocabulary:,} tokens" if found.vocabulary else ""
    return ", ".join(filter(None, (found.tokenizer, words)))


def _name_of(terminal: Terminal) -> str:
    return terminal.name


def _type_of(terminal: Terminal) -> tuple[str, object]:
    return terminal.dtype, terminal.shape


def _assumed(result: ModelFigures) -> str:
    """Return the assumed sizes, on which the MACs depend."""
    assumed = by_pattern(result.assumed_shapes.items(), lambda one: one[0], lambda one: one[1])
    shapes = ", ".join(f"{name}={'x'.join(map(str, one[1]))}" for name, one, _ in assumed)
    return f" at {shapes} (assumed; --shape gives others)" if shapes else ""


def _opsets(result: ModelFigures) -> str:
    """Return the operator sets with versions; only ONNX has a name for the standard one."""
    standard = "ai.onnx" if result.format == "onnx" else ""
    versions = sorted(result.opset.items())
    return ", ".join(f"{domain or standard} {version}".strip() for domain, version in versions)


def drawn(result: GraphResult) -> list[str]:
    """Say where the drawing is, and how much is in it."""
    lines = [
        f"{result.nodes:,} nodes and {result.edges:,} edges drawn in "
        f"{result.seconds:.1f} s: {result.output}"
    ]
    if result.constants:
        constants = counted(result.constants, "constant")
        lines.append(f"{constants} of the model have no box of their own.")
    return lines


def compared(result: DiffResult) -> list[str]:
    """Return the counts, then what happened, the most frequent first."""
    lines = [
        f"{result.matched:,} of {result.compute:,} compute nodes matched, "
        f"{result.changed:,} pairs changed, {result.added:,} nodes added, "
        f"{result.removed:,} removed, {result.folded:,} constants folded"
    ]
    lines += _by_frequency(pair.text for pair in result.pairs if pair.text)
    lines += _by_frequency(one.text("->") for pair in result.pairs for one in pair.changes)
    lines += _by_frequency(f"{one.operator} was added" for one in result.inserted)
    lost = result.lost[:_MOST_CHANGES]
    return lines + [f"{one.name} ({one.operator}): {one.text}" for one in lost]


def _by_frequency(texts: Iterable[str]) -> list[str]:
    return [f"{number:>5} x {text}" for text, number in Counter(texts).most_common(_MOST_CHANGES)]


def coverage(result: CoverageResult) -> list[str]:
    """Say yes, or list the problems; of a board also its other systems and its notes."""
    if result.covered:
        lines = [f"Compatible with {result.where}; needs about {result.memory_mb:,.0f} MB."]
    else:
        lines = [f"Not compatible with {result.where}:"]
    for problem in result.problems:
        lines.append(f"{problem.code:<7} {problem.text}")
        if problem.hint:
            lines.append(f"        {problem.hint}")
    for one in result.other_systems:
        verdict = "loads" if one.covered else one.problems[0].text
        lines.append(f"On {one.name} ({one.runtime or 'no onnxruntime'}): {verdict}")
    return lines + [f"Note: {note}" for note in result.notes or ()]


def coverage_code(result: CoverageResult) -> int:
    """Return the exit code: a model that will not run is a missed gate."""
    return 0 if result.covered else _GATE_MISSED


def analyzed(result: AnalysisResult) -> list[str]:
    """Return the largest numbers, with the title of what was computed."""
    found = sorted(result.values.items(), key=lambda one: -one[1])
    if not found:
        return [f"{result.title}: no node has a number."]
    rows = [(name, f"{value:.4g} {result.unit}".strip()) for name, value in found[:_MOST_NUMBERS]]
    lines = table(("node", result.title.lower()), rows, " r")
    left = len(found) - len(rows)
    return [*lines, f"and {counted(left, 'node')} more"] if left else lines


def edited(result: EditResult) -> list[str]:
    """Say what each edit did, then where the model is."""
    lines = [f"{one.edit}: {one.text}{_equality(one)}" for one in result.edits]
    end = f"written to {result.output}" if result.kept else "nothing was kept"
    return [*lines, f"{result.nodes:,} nodes, {end}"]


def _equality(outcome: EditOutcome) -> str:
    equality = outcome.equality
    if not equality or not equality.samples:
        return " (not compared: there is nothing equal to compare with)"
    return f" (same numbers on {equality.samples} samples, within {equality.max_error:.2g})"
