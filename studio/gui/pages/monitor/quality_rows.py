"""What a look at a target tells of its speed and of the quality of its answers, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from studio.gui import figures

PROFILE = (
    "Profile the model on this target with 1 thread, or with the thread count of the release. "
    "Then deploy again."
)
ESTIMATE = (
    "Deploy with held-out labelled golden samples, some of them classified wrongly, to estimate "
    "the accuracy on the target."
)
AGREEMENT = (
    "Deploy with “Shadow comparison with previous release” (more options) to measure the agreement."
)
SAMPLES = (
    "Deploy with “Keep uncertain requests” (more options) to keep requests on the target for "
    "labelling. By default, no requests are kept."
)
_VERDICTS = {"slower": "warning", "as measured": "good", "faster": "good"}
_MEANT = {
    # The target says the other two itself.
    "as measured": "Not slower than the profile.",
    "undecided": "Inconclusive: the confidence interval is too wide.",
}


class QualityRow(NamedTuple):
    """One line.

    Attributes:
        name: What it is about.
        figure: The number that counts, or a dash.
        tone: ``good``, ``warning`` or nothing.
        beside: Its interval, or what else is measured.
        text: One or two sentences; what tells a state by color says it here in words, too.
    """

    name: str
    figure: str
    tone: str
    beside: str
    text: str


def rows_of(sample: Mapping[str, Any]) -> tuple[QualityRow, ...]:
    """The rows of one look; none where what serves tells nothing of this."""
    if not sample.get("pace"):
        return ()
    made = (speed, board, labelled, estimated, agreement, samples)
    found = (make(sample) for make in made)
    return tuple(row for row in found if row is not None)


def speed(sample: Mapping[str, Any]) -> QualityRow | None:
    """The time in the model against the profile, or against its start."""
    pace = sample.get("pace") or {}
    verdict = str(pace.get("verdict") or "")
    sentences = [str(pace.get("text") or ""), _MEANT.get(verdict, "")]
    if note := str(pace.get("note") or ""):
        # With other threads the target itself says what to do.
        sentences += [note, "Then deploy again." if "profile it" in note else PROFILE]
    if threads := sample.get("threads"):
        sentences.append(f"An inference runs with {figures.count(int(threads), 'thread')}.")
    times = figures.number(pace.get("ratio"))
    return QualityRow(
        "Speed",
        figures.NOTHING if times is None else f"{times:.2f}\u00d7 the time",
        _VERDICTS.get(verdict, ""),
        _span(pace, "{:.2f}"),
        " ".join(filter(None, sentences)),
    )


def board(sample: Mapping[str, Any]) -> QualityRow | None:
    """Clock, temperature, throttling, and who else works there."""
    told = sample.get("board")
    if not told:
        return None
    clock, most = (figures.number(told.get(name)) for name in ("clock_mhz", "most_mhz"))
    celsius, others = (figures.number(told.get(name)) for name in ("celsius", "others"))
    reasons = ", ".join(str(one) for one in told.get("throttled") or ())
    of_most = f" of {most:.0f}" if most is not None else ""
    sentences = []
    if reasons:
        sentences.append(f"Throttled: {reasons}.")
    elif clock is None and celsius is None:
        sentences.append("Clock and temperature are not available.")
    else:
        sentences.append("No throttling reported.")
    if others is not None:
        sentences.append(f"Other programs keep {others:.1f} processors busy.")
    if (stolen := figures.number(told.get("stolen"))) is not None and stolen >= 0.005:
        sentences.append(f"A hypervisor takes {stolen:.0%} of the time.")
    return QualityRow(
        "Board",
        figures.NOTHING if clock is None else f"{clock:.0f}{of_most} MHz",
        "warning" if reasons else "",
        "" if celsius is None else f"{celsius:.0f} \u00b0C",
        " ".join(sentences),
    )


def labelled(sample: Mapping[str, Any]) -> QualityRow | None:
    """Accuracy by true answers; nothing where none were given."""
    told = sample.get("labels") or {}
    if not told.get("matched"):
        return None
    text = f"From {figures.whole(told['matched'])} requests with labels."
    return QualityRow("Accuracy", _share(told.get("accuracy")), "", _shares(told), text)


def estimated(sample: Mapping[str, Any]) -> QualityRow:
    """Accuracy without labels, or why it is not told."""
    name = "Accuracy, estimated"
    told = (sample.get("drift_state") or {}).get("estimate") or {}
    if not told:
        return QualityRow(name, figures.NOTHING, "", "", ESTIMATE)
    if told.get("accuracy") is None:
        return QualityRow(name, figures.NOTHING, "", "", str(told.get("why") or ""))
    reference, high = (figures.number(told.get(key)) for key in ("reference", "high"))
    less = reference is not None and high is not None and high < reference
    of_data = f"; {_share(reference)} of its reference data" if reference is not None else ""
    text = f"Estimated without labels from {figures.whole(told.get('frames'))} requests{of_data}"
    text += ": lower than there." if less else "."
    return QualityRow(
        name, _share(told["accuracy"]), "warning" if less else "good", _shares(told), text
    )


def agreement(sample: Mapping[str, Any]) -> QualityRow:
    """How often the version before answers the same."""
    name, told = "Agreement", sample.get("mirror") or {}
    if not told:
        return QualityRow(name, figures.NOTHING, "", "", AGREEMENT)
    fault = str(told.get("fault") or "")
    tone = "warning" if fault else ""
    compared = int(told.get("compared") or 0)
    if not compared:
        text = fault or "No requests compared with the previous release yet."
        return QualityRow(name, figures.NOTHING, tone, "", text)
    share = float(told.get("agreed") or 0) / compared
    text = f"Agreement with the previous release over {figures.whole(compared)} requests."
    return QualityRow(name, _share(share), tone, _shares(told), f"{text} {fault}".strip())


def samples(sample: Mapping[str, Any]) -> QualityRow:
    """Uncertain requests that the target keeps."""
    name, told = "Uncertain requests", sample.get("samples") or {}
    if not told:
        return QualityRow(name, figures.NOTHING, "", "", SAMPLES)
    fault = str(told.get("fault") or "")
    room = f"{figures.size(told.get('bytes'))} of {figures.size(told.get('most_bytes'))}"
    text = "The least confident requests, kept on the target for labelling."
    count = f"{figures.whole(told.get('kept'))} of {figures.whole(told.get('most'))}"
    return QualityRow(name, count, "warning" if fault else "", room, f"{text} {fault}".strip())


def _share(value: object) -> str:
    amount = figures.number(value)
    return figures.NOTHING if amount is None else f"{amount:.1%}"


def _shares(told: Mapping[str, Any]) -> str:
    low, high = figures.number(told.get("low")), figures.number(told.get("high"))
    return "" if low is None or high is None else f"{100 * low:.1f} to {high:.1%}"


def _span(told: Mapping[str, Any], form: str) -> str:
    low, high = figures.number(told.get("low")), figures.number(told.get("high"))
    return "" if low is None or high is None else f"{form.format(low)} to {form.format(high)}"
