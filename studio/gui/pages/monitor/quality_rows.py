"""The rows of a target's speed and answer quality, made from one poll."""

from __future__ import annotations

from typing import NamedTuple

from studio.gui import figures
from studio.monitoring.endpoint.results import (
    AccuracyEstimate,
    Agreement,
    BoardReport,
    LiveLabels,
    NodePlacement,
    SpeedReport,
    StoredRequests,
    provider_title,
)
from studio.monitoring.results import TargetSample

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
    # The target sends the sentences of the other two itself.
    "as measured": "Not slower than {baseline}.",
    "undecided": "Inconclusive: the confidence interval is too wide.",
}


class QualityRow(NamedTuple):
    """One row of the quality table.

    Attributes:
        name: What it is about.
        figure: The number that counts, or a dash.
        tone: ``good``, ``warning`` or nothing.
        beside: Its interval, or what else is measured.
        text: One or two sentences; a state shown by colour is named here in words, too.
    """

    name: str
    figure: str
    tone: str
    beside: str
    text: str


def rows_of(sample: TargetSample) -> tuple[QualityRow, ...]:
    """Return the rows of one poll; empty for a runtime that reports no speed."""
    if not sample.pace:
        return ()
    estimate = sample.drift_state.estimate if sample.drift_state else None
    found = (
        speed(sample.pace, sample.threads),
        placement(sample.placement),
        board(sample.board),
        labelled(sample.labels),
        estimated(estimate),
        agreement(sample.mirror),
        samples(sample.samples),
    )
    return tuple(row for row in found if row is not None)


def speed(pace: SpeedReport, threads: int | None) -> QualityRow:
    """Return the time in the model against the profile, or against its start."""
    baseline = "at the start" if pace.of == "start" else "the profile"
    sentences = [pace.text, _MEANT.get(pace.verdict, "").format(baseline=baseline)]
    if pace.note:
        # With other threads the target itself sends the advice.
        sentences += [pace.note, "Then deploy again." if "profile it" in pace.note else PROFILE]
    if threads:
        sentences.append(f"An inference runs with {figures.count(threads, 'thread')}.")
    span = "" if pace.low is None or pace.high is None else f"{pace.low:.2f} to {pace.high:.2f}"
    return QualityRow(
        "Speed",
        figures.NOTHING if pace.ratio is None else f"{pace.ratio:.2f}\u00d7 the time",
        _VERDICTS.get(pace.verdict, ""),
        span,
        " ".join(filter(None, sentences)),
    )


def placement(placement: NodePlacement | None) -> QualityRow | None:
    """Nodes by execution provider, and why not the wanted one; None for the CPU alone."""
    if not placement or not placement.wanted:
        return None
    wanted = ", ".join(map(provider_title, placement.wanted))
    counts = [f"{provider_title(name)} {count:,}" for name, count in placement.nodes.items()]
    return QualityRow(
        "Accelerator",
        ", ".join(map(provider_title, placement.used)),
        "warning" if placement.fallback else "good",
        "",
        placement.fallback or f"Wanted: {wanted}. Nodes: {', '.join(counts) or 'not known'}.",
    )


def board(board: BoardReport | None) -> QualityRow | None:
    """Clock, temperature, throttling, and who else works there."""
    if not board:
        return None
    clock, celsius, reasons = board.clock_mhz, board.celsius, ", ".join(board.throttled)
    of_most = f" of {board.most_mhz:.0f}" if board.most_mhz is not None else ""
    sentences = []
    if reasons:
        sentences.append(f"Throttled: {reasons}.")
    elif clock is None and celsius is None:
        sentences.append("Clock and temperature are not available.")
    else:
        sentences.append("No throttling reported.")
    if board.others is not None:
        sentences.append(f"Other programs keep {board.others:.1f} processors busy.")
    if board.stolen is not None and board.stolen >= 0.005:
        sentences.append(f"A hypervisor takes {board.stolen:.0%} of the time.")
    return QualityRow(
        "Board",
        figures.NOTHING if clock is None else f"{clock:.0f}{of_most} MHz",
        "warning" if reasons else "",
        "" if celsius is None else f"{celsius:.0f} \u00b0C",
        " ".join(sentences),
    )


def labelled(labels: LiveLabels | None) -> QualityRow | None:
    """Accuracy by true answers; nothing where none were given."""
    if not labels or not labels.matched:
        return None
    text = f"From {figures.whole(labels.matched)} requests with labels."
    span = _interval(labels.low, labels.high)
    return QualityRow("Accuracy", _share(labels.accuracy), "", span, text)


def estimated(estimate: AccuracyEstimate | None) -> QualityRow:
    """Return the accuracy without labels, or the reason that it is unknown."""
    name = "Accuracy, estimated"
    if not estimate:
        return QualityRow(name, figures.NOTHING, "", "", ESTIMATE)
    if estimate.accuracy is None:
        return QualityRow(name, figures.NOTHING, "", "", estimate.why)
    reference, high = estimate.reference, estimate.high
    less = reference is not None and high is not None and high < reference
    of_data = f"; {_share(reference)} of its reference data" if reference is not None else ""
    text = f"Estimated without labels from {figures.whole(estimate.frames)} requests{of_data}"
    text += ": lower than there." if less else "."
    tone, span = "warning" if less else "good", _interval(estimate.low, high)
    return QualityRow(name, _share(estimate.accuracy), tone, span, text)


def agreement(mirror: Agreement | None) -> QualityRow:
    """How often the version before answers the same."""
    name = "Agreement"
    if not mirror:
        return QualityRow(name, figures.NOTHING, "", "", AGREEMENT)
    fault = mirror.fault
    tone = "warning" if fault else ""
    if not mirror.compared:
        text = fault or "No requests compared with the previous release yet."
        return QualityRow(name, figures.NOTHING, tone, "", text)
    share, span = _share(mirror.agreed / mirror.compared), _interval(mirror.low, mirror.high)
    text = f"Agreement with the previous release over {figures.whole(mirror.compared)} requests."
    if mirror.divergence is not None and mirror.answers:
        text += (
            f" KL divergence {mirror.divergence:.4f} nats a token "
            f"over {figures.count(mirror.answers, 'answer')}."
        )
    return QualityRow(name, share, tone, span, f"{text} {fault}".strip())


def samples(stored: StoredRequests | None) -> QualityRow:
    """Uncertain requests that the target keeps."""
    name = "Uncertain requests"
    if not stored:
        return QualityRow(name, figures.NOTHING, "", "", SAMPLES)
    room = f"{figures.size(stored.bytes)} of {figures.size(stored.most_bytes)}"
    text = "The least confident requests, kept on the target for labelling."
    count = f"{figures.whole(stored.kept)} of {figures.whole(stored.most)}"
    tone = "warning" if stored.fault else ""
    return QualityRow(name, count, tone, room, f"{text} {stored.fault}".strip())


def _share(amount: float | None) -> str:
    return figures.NOTHING if amount is None else f"{amount:.1%}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.1f} to {high:.1%}"
