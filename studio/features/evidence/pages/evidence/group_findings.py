"""Findings about groups: those below the required figure, and what does not differ."""

from __future__ import annotations

from collections.abc import Iterator

from studio.features.evidence.groups.results import GroupCell, GroupsResult, MeanDifference
from studio.gui import figures
from studio.lazy_dataclass import dataclass

_RANGE = "–"


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding in a card.

    Attributes:
        tone: ``bad``, ``good``, or empty.
        group: Column and group whose misses can be listed; empty for none.
    """

    title: str
    text: str
    tone: str = ""
    group: tuple[str, str] = ("", "")


def is_share(result: GroupsResult) -> bool:
    """Return whether the figures are shares of 1, which are shown in percent."""
    values = [one.value for one in (result.overall, *result.groups) if one.value is not None]
    return all(0 <= value <= 1 for value in values)


def below(result: GroupsResult, required: float | None) -> tuple[GroupCell, ...]:
    """Return the groups below a figure, the lowest first; small groups are left out."""
    if required is None:
        return ()
    found = [
        one
        for one in result.groups
        if one.value is not None and one.value < required and one.samples >= result.least
    ]
    return tuple(sorted(found, key=lambda one: one.value or 0.0))


def findings(result: GroupsResult, required: float | None) -> Iterator[Finding]:
    """Yield the findings, the gravest first."""
    share = is_share(result)
    yield _limit(result, required, share)
    differing = [one for one in result.groups if one.rest and one.rest.is_significant]
    if differing:
        texts = [f"{one.group} {_gap(one.rest, share)} to the rest" for one in differing[:4]]
        yield Finding("Significant difference", f"{'; '.join(texts)}. Holm over all groups.")
    equal = [
        column.name
        for column in result.columns
        if not any(one.column == column.name for one in differing)
    ]
    texts = [text for name in equal if (text := _largest_gap(result, name, share))]
    if texts:
        yield Finding("No significant difference", f"{' '.join(texts)} Holm over all groups.")
    if result.against is not None and result.overall.against is not None:
        yield _comparison(result, share)


def _limit(result: GroupsResult, required: float | None, share: bool) -> Finding:
    worst = result.worst_group
    found = below(result, required)
    if required is None:
        text = "Enter the lowest accepted figure. Groups below it are marked."
        if worst is not None:
            text = f"Worst group: {worst.group}, {_text(worst.value, share)}. {text}"
        return Finding("No required figure", text)
    line = _text(required, share)
    if not found:
        least = figures.count(result.least, "sample")
        text = f"Each group of at least {least} reaches {line}."
        return Finding("✓ No group below limit", text, "good")
    one = found[0]
    title = "One group below limit"
    if len(found) > 1:
        title = f"{len(found)} groups below limit"
    text = f"{one.group}: {_text(one.value, share)}{_interval(one.low, one.high, share)}, "
    text += f"required {line}."
    if one.rest is not None and one.rest.value is not None:
        text += f" {_gap(one.rest, share)} to the rest."
    return Finding(f"⚠ {title}", text, "bad", (one.column, one.group))


def _largest_gap(result: GroupsResult, column: str, share: bool) -> str:
    cells = [
        one
        for one in result.groups
        if one.column == column and one.rest is not None and one.rest.value is not None
    ]
    if not cells:
        return ""
    largest = max(cells, key=lambda one: abs(one.rest.value or 0.0) if one.rest else 0.0)
    return f"{column}: largest gap {largest.group}, {_gap(largest.rest, share)}."


def _comparison(result: GroupsResult, share: bool) -> Finding:
    found = result.overall.against
    assert found is not None
    word = "Differs from" if found.is_significant else "No significant difference to"
    return Finding(f"{word} {result.against}", f"On the same samples: {_gap(found, share)}.")


def _gap(found: MeanDifference | None, share: bool) -> str:
    """Return a difference with its interval: ``-2.2 pt [-6.5–2.1]``."""
    if found is None or found.value is None:
        return "not known"
    interval = ""
    if found.low is not None and found.high is not None:
        interval = f" [{_number(found.low, share)}, {_number(found.high, share)}]"
    value = 100 * found.value if share else found.value
    return f"{figures.signed(value, 1, 'pt') if share else figures.signed(value, 3)}{interval}"


def _number(value: float, share: bool) -> str:
    text = f"{100 * value:.1f}" if share else f"{value:.3f}"
    return text.replace("-", "−")


def _interval(low: float | None, high: float | None, share: bool) -> str:
    if low is None or high is None:
        return ""
    scale = 100 if share else 1
    return f" [{scale * low:.1f}{_RANGE}{scale * high:.1f}]"


def _text(value: float | None, share: bool) -> str:
    if value is None:
        return figures.NOTHING
    return f"{100 * value:.1f} %" if share else f"{value:.3f}"
