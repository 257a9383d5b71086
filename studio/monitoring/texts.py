"""Lines for people about results of monitoring."""

from __future__ import annotations

from collections.abc import Sequence

from studio.documents.text_table import counted, table
from studio.monitoring.endpoint.results import (
    AccuracyEstimate,
    Agreement,
    BoardReport,
    CallResult,
    DriftState,
    FetchedRequests,
    Latency,
    LiveLabels,
    NodePlacement,
    Percentiles,
    RecordedOverride,
    SpeedReport,
    StoredRequests,
    Upkeep,
    provider_title,
)
from studio.monitoring.language_texts import NOTHING, language, number
from studio.monitoring.results import (
    ChannelFault,
    ChannelTests,
    ExportResult,
    FleetResult,
    HistoryResult,
    SilenceResult,
    TargetSample,
)

_ORDER = {"unreachable": 0, "not ready": 1, "degraded": 2}


def target(sample: TargetSample) -> list[str]:
    """Return the state of a target in a few lines."""
    latency = sample.latency_ms or Latency()
    where = f" at {sample.endpoint}" if sample.endpoint else ""
    percentiles = (("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99))
    times = ", ".join(f"{name} {_milliseconds(value)}" for name, value in percentiles)
    threads = f", {counted(sample.threads, 'thread')}" if sample.threads else ""
    labels = sample.labels or LiveLabels()
    return [
        f"health      {sample.health}",
        *([f"endpoint    {sample.state}{where}"] if sample.state else []),
        f"throughput  {sample.throughput or 0.0:.1f} requests/s",
        f"latency     {times}{threads}",
        f"errors      {sample.errors or 0}",
        *_placement(sample.placement),
        *_speed(sample.pace),
        *_board(sample.board, sample.upkeep),
        *_accuracy(labels),
        *_estimated((sample.drift_state or DriftState()).estimate),
        *_agreement(sample.mirror),
        *language(sample.language),
        *([f"labels      {labels.note}"] if labels.note else []),
        *_samples(sample.samples, sample.taken),
        *drift(sample),
        *(f"alert       {alert.text}" for alert in sample.alerts),
        *_channel_faults(sample.channels),
    ]


def drift(sample: TargetSample) -> list[str]:
    """Return each signal that is or was above its limit, explained as in the window."""
    lines = []
    if sample.drift_state and sample.drift_state.why:
        lines.append(f"drift       {sample.drift_state.why}")
    for signal in sample.drift:
        if signal.statistic is not None and (signal.drifts or signal.beyond):
            shown = f"{signal.statistic:.1f} of {signal.limit:.1f}"
            lines.append(f"  {signal.name} ({shown}): {signal.why}")
    return lines


def _channel_faults(faults: Sequence[ChannelFault]) -> list[str]:
    return [f"not told    {fault.channel}: {fault.text}" for fault in faults]


def _placement(placement: NodePlacement | None) -> list[str]:
    """Describe where the nodes are computed; nothing for the processor alone."""
    if not placement or not placement.wanted:
        return []
    counts = [f"{provider_title(name)} ({count})" for name, count in placement.nodes.items()]
    return [f"computed by {', '.join(counts or map(provider_title, placement.used))}"]


def _speed(pace: SpeedReport | None) -> list[str]:
    """Describe the speed of the model against its profile."""
    lines = [f"speed       {pace.text}"] if pace and pace.text else []
    return [*lines, f"baseline    {pace.note}"] if pace and pace.note else lines


def _board(board: BoardReport | None, upkeep: Upkeep | None) -> list[str]:
    """Describe the board, its free disk space, and the end of the certificate."""
    facts = []
    if board and board.clock_mhz:
        facts.append(f"{board.clock_mhz:.0f} MHz")
    if board and board.celsius is not None:
        facts.append(f"{board.celsius:.0f} °C")
    if board and board.throttled:
        facts.append("throttled: " + ", ".join(board.throttled))
    if board and board.others is not None:
        facts.append(f"other programs {board.others:.1f} processors")
    if upkeep and upkeep.disk_free_mb is not None:
        facts.append(f"{upkeep.disk_free_mb:,.0f} MB of its disk free")
    if upkeep and upkeep.certificate_days is not None:
        facts.append(f"certificate for {upkeep.certificate_days:.0f} days")
    return [f"board       {', '.join(facts)}"] if facts else []


def _accuracy(labels: LiveLabels) -> list[str]:
    """Describe the accuracy by labels, and by labels of uncertain requests."""
    lines = []
    if labels.matched:
        share = f"{labels.accuracy or 0:.1%} ({labels.low or 0:.1%} to {labels.high or 0:.1%}"
        lines.append(f"accuracy    {share}; {labels.matched} labels)")
    if labels.uncertain:
        lines.append(
            f"uncertain   {labels.uncertain_right} of {labels.uncertain} labelled right, of "
            "the requests that the model was least certain of"
        )
    return lines


def _estimated(estimate: AccuracyEstimate | None) -> list[str]:
    """Describe the accuracy estimated from confidence, or why there is no estimate."""
    if not estimate:
        return []
    if estimate.accuracy is None:
        return [f"estimated   no accuracy without labels: {estimate.why}"]
    span = f"{estimate.low or 0:.1%} to {estimate.high or 0:.1%}"
    text = f"{estimate.accuracy:.1%} right ({span}), without labels, of {estimate.frames} requests"
    return [f"estimated   {text}; {estimate.reference or 0:.1%} of the reference data"]


def _agreement(mirror: Agreement | None) -> list[str]:
    """Describe the agreement of the previous release; nothing without a comparison."""
    if not mirror:
        return []
    if mirror.fault:
        return [f"agreement   {mirror.fault}"]
    if not mirror.compared:
        return ["agreement   no request compared with the previous release yet"]
    share, span = f"{mirror.agreed / mirror.compared:.1%}", ""
    if mirror.low is not None and mirror.high is not None:
        span = f" ({mirror.low:.1%} to {mirror.high:.1%})"
    lines = [f"agreement   {share}{span} with the previous release, {mirror.compared} requests"]
    if mirror.divergence is not None and mirror.same_top is not None:
        lines.append(
            f"divergence  {mirror.divergence:.4f} nats a token from the previous release, the same "
            f"top token at {mirror.same_top:.1%}, {mirror.answers} answers"
        )
    return lines


def _samples(stored: StoredRequests | None, taken: FetchedRequests | None) -> list[str]:
    """Describe the stored uncertain requests, and those fetched or deleted now."""
    lines = []
    if stored:
        fault = f"; {stored.fault}" if stored.fault else ""
        room = f"{stored.bytes / 1e6:.1f} of {stored.most_bytes / 1e6:g} MB"
        lines.append(f"samples     {stored.kept} of {stored.most} kept there, {room}{fault}")
    if taken and taken.fetched is not None:
        damaged = f", {taken.damaged} damaged" if taken.damaged else ""
        lines.append(f"fetched     {taken.fetched} into {taken.folder}{damaged}")
    if taken and taken.deleted is not None:
        lines.append(f"deleted     {taken.deleted} on the target")
    return lines


def fleet(result: FleetResult) -> list[str]:
    """Return a table of all targets, the unhealthy first, with their alerts below it."""
    rows = sorted(result.samples, key=lambda one: (_ORDER.get(one.health, 3), one.target))
    columns = ("target", "health", "version", "req/s", "p99 ms")
    tokens = ("tokens/s", "first ms") if any(row.language for row in rows) else ()
    cells = (_fleet_row(row, bool(tokens)) for row in rows)
    right = "  rrr" + "r" * len(tokens)
    return [
        *table((*columns, *tokens, "alerts"), cells, right=right),
        *(f"{row.target}: {alert.name}: {alert.text}" for row in rows for alert in row.alerts),
        *_channel_faults(result.channels),
    ]


def _fleet_row(sample: TargetSample, tokens: bool) -> tuple[object, ...]:
    p99 = _milliseconds((sample.latency_ms or Latency()).p99)
    return (
        sample.target,
        sample.health,
        sample.version or "-",
        f"{sample.throughput or 0:.1f}",
        p99.removesuffix(" ms"),
        *(_tokens(sample) if tokens else ()),
        ", ".join(alert.name for alert in sample.alerts) or "-",
    )


def _tokens(sample: TargetSample) -> tuple[str, str]:
    """Return the speed of a language model; dashes for any other model."""
    if sample.language is None:
        return NOTHING, NOTHING
    first = sample.language.first_token_ms.p50
    return number(sample.language.tokens_per_s), NOTHING if first is None else f"{first:.0f}"


def exported(result: ExportResult) -> list[str]:
    """Return the written files, and the number of their endpoints."""
    return [*result.files, f"{len(result.endpoints)} endpoints"]


def history(result: HistoryResult) -> list[str]:
    """Return the range of a metric, with a line for each instance."""
    lines = []
    for instance, points in result.series.items():
        values = [value for _, value in points]
        span = f"{min(values):.4g} to {max(values):.4g}, last {values[-1]:.4g}" if values else "-"
        lines.append(f"{instance}  {result.metric}  {len(values)} points, {span}")
    return [*lines, *result.notes] or ["No history of this target yet."]


def channel_tests(result: ChannelTests) -> list[str]:
    """Return the outcome of each test notification."""
    return [f"{test.channel}: {test.text}" for test in result.channels]


def silences(result: SilenceResult) -> list[str]:
    """Return the silences, a sentence each."""
    return [hold.text for hold in result.holds] or ["No active silences."]


def call(result: CallResult) -> list[str]:
    """Return the number of answered requests and their latency, or the program."""
    if result.code is not None:
        return result.code.splitlines()
    latency = result.latency_ms or Percentiles()
    return [
        f"{result.answered} of {result.requests} requests answered in {result.seconds:.2f} s; "
        f"p50 {_milliseconds(latency.p50)}, p90 {_milliseconds(latency.p90)}."
    ]


def overridden(result: RecordedOverride) -> list[str]:
    """Return whose decision replaces which answer."""
    return [
        f"Recorded as entry {result.entry} of {result.target}: {result.by} decided "
        f"{result.decision!r} instead of the answer to {result.request}."
    ]


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f} ms"
