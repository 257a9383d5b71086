"""Sentences for people about quality by group."""

from __future__ import annotations

from collections.abc import Sequence

from studio.documents.plain import one_line
from studio.documents.text_table import table
from studio.features.evidence.groups.results import Calibration, GroupCell, GroupsResult

NO_SAMPLE = "no sample"
GATE_FAILED = 3

_CONFIDENCES = {
    "probabilities": "the model's probabilities",
    "softmax": "a softmax of the model's scores",
    "scores": "the score of each answer, which is no probability over all classes",
    "binary": "the model's probability of class 1",
    "texts": "the mean over the characters of each text",
}


def groups(result: GroupsResult) -> list[str]:
    """Return the table of the groups, the worst group, the comparison and the calibration."""
    head = [
        "group",
        "samples",
        result.figure or result.metric,
        "95 % CI",
        "to the rest",
        "p (Holm)",
    ]
    right = " rrrrr"
    if result.against:
        head, right = [*head, f"to {result.against}", "p (Holm)"], right + "rr"
    cells = (result.overall, *result.groups)
    lines = table(head, [_row(cell, bool(result.against)) for cell in cells], right=right)
    lines += _small(result)
    lines.append(_worst(result))
    if result.against:
        lines += _against(result, result.against)
    lines += _calibration(result.calibration, result.confidences)
    lines += [one_line(note) for note in result.notes]
    if result.required is not None:
        lines.append(
            f"The worst group {'reaches' if result.passed else 'is below'} {result.required:g}."
        )
    return lines


def exit_code(result: GroupsResult) -> int:
    """Return 3 when the worst group is below the required figure."""
    return 0 if result.passed else GATE_FAILED


def _row(cell: GroupCell, compares: bool) -> Sequence[str]:
    name = f"{cell.column}: {cell.group}" if cell.column else cell.group
    if cell.value is None:
        return [name, "0", NO_SAMPLE, *[""] * (5 if compares else 3)]
    rest, other = cell.rest, cell.against
    row = [
        name,
        str(cell.samples),
        f"{cell.value:.4f}",
        _range(cell.low, cell.high),
        f"{rest.value:+.4f}" if rest and rest.value is not None else "",
        _p(rest.p_adjusted) if rest else "",
    ]
    if compares:
        row.append(f"{other.value:+.4f}" if other and other.value is not None else "")
        row.append(_p(other.p_adjusted) if other else "")
    return row


def _range(low: float | None, high: float | None) -> str:
    return "unknown" if low is None or high is None else f"{low:.4f} to {high:.4f}"


def _p(p: float | None) -> str:
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _worst(result: GroupsResult) -> str:
    worst = result.worst_group
    if worst is None:
        return f"No group has {result.least} samples, so none is the worst."
    if worst.gap <= 0:
        return "No group is below all samples."
    name = one_line(f"{worst.column}: {worst.group}")
    text = f"Worst group: {name} with {worst.value:.4f} over {worst.samples} samples."
    if worst.significant:
        return f"{text} It is lower than the rest (5 %, Holm over all groups)."
    return f"{text} No significant difference to the rest (5 %, Holm over all groups)."


def _small(result: GroupsResult) -> list[str]:
    """Return a line about groups that are too small to be the worst one, though lower."""
    worst = result.worst_group
    if worst is None:
        return []
    lower = [
        cell
        for cell in result.groups
        if cell.value is not None and cell.samples < result.least and cell.value < worst.value
    ]
    if not lower:
        return []
    names = ", ".join(one_line(f"{cell.column}: {cell.group}") for cell in lower[:5])
    return [f"Lower, with fewer than {result.least} samples: {names}."]


def _against(result: GroupsResult, other: str) -> list[str]:
    whole = result.overall.against
    if whole is None or whole.value is None:
        return []
    moved = [cell for cell in result.groups if cell.against and cell.against.is_significant]
    verdict = "significant" if whole.is_significant else "no significant difference"
    change = f"{whole.value:+.4f}, 95 % CI {_range(whole.low, whole.high)}"
    lines = [f"Against {one_line(other)} on the same samples: {change}; {verdict}."]
    names = ", ".join(one_line(f"{cell.column}: {cell.group}") for cell in moved[:5])
    lines.append(
        f"Groups with a significant difference (5 %, Holm): {names}."
        if moved
        else "No group differs significantly (5 %, Holm)."
    )
    return lines


def _calibration(found: Calibration | None, confidences: str) -> list[str]:
    if found is None:
        return ["Calibration: the outputs have no confidences."]
    brier = "" if found.brier is None else f", Brier score {found.brier:.4f}"
    verdict = "more than chance" if found.is_significant else "no more than chance"
    return [
        f"Calibration: ECE {found.ece:.4f} (95 % CI {_range(found.low, found.high)}), {verdict} "
        f"({found.chance:.4f}); largest error {found.mce:.4f}{brier}.",
        f"Confidence is {_CONFIDENCES.get(confidences, confidences)}.",
    ]
