"""The report of a pipeline: one HTML file with graph, variants, latencies and deployments."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Sequence
from dataclasses import field
from datetime import datetime
from html import escape
from typing import TypeVar

import studio
from studio.documents.dataclass_json import from_json, keyed
from studio.documents.html import Html, page, paragraph, picture, pill, section, table
from studio.jobs import Job
from studio.lazy_dataclass import dataclass
from studio.models.drawing.svg import svg
from studio.models.graphfile import read
from studio.pipelines.run_report import DrawnGraph, PipelineReport, ReportFile, ReportOptions
from studio.profiling.chart import latency_figure
from studio.profiling.results import ProfileResult
from studio.runtime.bench.facts import Percentiles
from studio.settings import resource

FormT = TypeVar("FormT")

_MOST_DRAWN = 2_000
"""Limit of a drawing in a page; ``studio graph`` makes one with zoom."""


def render(options: ReportOptions, job: Job) -> ReportFile:
    """Write ``report.html`` into the job's folder, as a step's work in a worker."""
    report = options.report
    body = [
        *_head(report),
        *_gates(report),
        *_graphs(options.graphs, job),
        *_variants(report),
        *_latencies(report),
        *_deployments(report),
        *_requests(report),
        _all_steps(report),
        *_artefacts(report),
        _raw(report),
    ]
    style = resource("templates", "report.css").read_text(encoding="utf-8")
    path = job.folder / "report.html"
    path.write_text(page(report.title, style, body), encoding="utf-8")
    return ReportFile(str(path))


def _head(report: PipelineReport) -> Iterator[Html]:
    word = {0: "succeeded", 3: "not met"}.get(report.exit_code, "failed")
    yield Html(f"<h1>{escape(report.title)} {pill(word)}</h1>")
    when = datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z")
    yield paragraph(
        f"{when} · Edgewright {studio.__version__} · {platform.node()}, {platform.machine()}, "
        f"{platform.system()} {platform.release()}",
        "dim",
    )


def _gates(report: PipelineReport) -> Iterator[Html]:
    if report.gates:
        rows = [
            (
                gate.name + (f" ({gate.text})" if gate.text else ""),
                "no value" if gate.value is None else f"{gate.value:.4g}",
                gate.limit,
                pill("met" if gate.passed else "not met"),
            )
            for gate in report.gates
        ]
        yield section("Gates", table(("Gate", "Value", "Limit", ""), rows, " n"))


def _graphs(graphs: Sequence[DrawnGraph], job: Job) -> Iterator[Html]:
    for graph in graphs:
        job.progress(0, 0, "drawing the graph")
        model, layout = read(graph.path)
        count = len(model.graph.nodes)
        title = f"Graph of {graph.title}"
        if count > _MOST_DRAWN:
            yield section(title, paragraph(f"{count:,} nodes: too many to be drawn in a page."))
            continue
        image = picture(svg(model.graph, layout), title, "")
        yield section(
            title, paragraph(f"{count:,} nodes", "dim"), Html(f'<div class="graph">{image}</div>')
        )


@dataclass(frozen=True, slots=True)
class _Metric:
    name: str = "none"
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, slots=True)
class _Variant:
    """The result of ``quantize``."""

    size_ratio: float
    metric: _Metric | None = None
    sqnr_db: float | None = None
    seconds: float | None = None


def _variants(report: PipelineReport) -> Iterator[Html]:
    rows = [_variant(name, result) for name, result in _results(report, "quantize", _Variant)]
    if rows:
        head = ("Variant", "Size", "Metric", "Before", "After", "SQNR dB", "Took s")
        yield section("Variants", table(head, rows, " n nnnn"))


def _variant(name: str, result: _Variant) -> tuple[object, ...]:
    metric = result.metric or _Metric()
    return (
        name,
        f"{100 * result.size_ratio:.0f} %",
        metric.name,
        _number(metric.before, 4),
        _number(metric.after, 4),
        _number(result.sqnr_db, 1),
        _number(result.seconds, 1),
    )


def _latencies(report: PipelineReport) -> Iterator[Html]:
    for _name, profile in _results(report, "profile", ProfileResult):
        yield section(
            "Latency",
            picture(latency_figure(profile), "Latency of each variant"),
            _runs(profile),
            _verdicts(profile),
        )


def _runs(profile: ProfileResult) -> Html:
    rows = []
    for run in profile.runs:
        latency, error = run.latency_ms, run.relative_error
        numbers = (_number(each, 3) for each in (latency.p50, latency.p90, latency.p99))
        shown = "reference" if error is None else f"{error:.1g}"
        setting = (run.precision or "unknown", run.threads or "unknown")
        rows.append((run.model, run.backend, run.device, *setting, *numbers, shown))
    names = ("Variant", "Runtime", "Device", "Computes in", "Threads")
    head = (*names, "p50 ms", "p90 ms", "p99 ms", "Relative error")
    return table(head, rows, "    nnnnn")


def _verdicts(profile: ProfileResult) -> Html:
    rows = [
        (
            one.name,
            _number(one.ratio, 3),
            f"{_number(one.low, 3)} to {_number(one.high, 3)}",
            pill(one.verdict),
        )
        for one in profile.verdicts
    ]
    return table(("Comparison", "Ratio", "Interval", "Verdict"), rows, " nn")


@dataclass(frozen=True, slots=True)
class _DeploymentStep:
    name: str
    state: str
    text: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class _Deployment:
    """The result of ``deploy``."""

    target: str
    version: int | None
    steps: tuple[_DeploymentStep, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rollback:
    """The result of ``rollback``."""

    target: str
    before: int | None = keyed("from")
    to: int | None
    seconds: float


def _deployments(report: PipelineReport) -> Iterator[Html]:
    for _name, result in _results(report, "deploy", _Deployment):
        rows = [
            (pill(step.state), step.name, step.text, _number(step.seconds, 2))
            for step in result.steps
        ]
        title = f"Deployment of version {result.version} to {result.target}"
        yield section(title, table(("State", "Step", "", "s"), rows, "   n"))
    for _name, back in _results(report, "rollback", _Rollback):
        yield section(
            f"Rollback of {back.target}",
            paragraph(f"From version {back.before} to version {back.to} in {back.seconds:.2f} s."),
        )


@dataclass(frozen=True, slots=True)
class _Requests:
    """The result of ``call``."""

    requests: int
    failed: int
    latency_ms: Percentiles = field(default_factory=Percentiles)


def _requests(report: PipelineReport) -> Iterator[Html]:
    rows = [
        (
            name,
            result.requests,
            result.failed,
            _number(result.latency_ms.p50, 2),
            _number(result.latency_ms.p90, 2),
        )
        for name, result in _results(report, "call", _Requests)
    ]
    if rows:
        head = ("Step", "Requests", "Failed", "p50 ms", "p90 ms")
        yield section("Requests to the deployed model", table(head, rows, " nnnn"))


def _all_steps(report: PipelineReport) -> Html:
    rows = [
        (step.id, step.step, pill(step.state), f"{step.seconds:.1f}", step.message)
        for step in report.steps
    ]
    return section("Steps", table(("Id", "Step", "State", "s", ""), rows, "   n"))


def _artefacts(report: PipelineReport) -> Iterator[Html]:
    rows = list(report.artefacts.items())
    if rows:
        note = "Equal inputs and tools give equal digests; a bundle's leave out number and date."
        yield section("Digests (SHA-256)", paragraph(note, "dim"), table(("What", "Digest"), rows))


def _raw(report: PipelineReport) -> Html:
    document = escape(json.dumps(report.to_json(), indent=1, default=str))
    return Html(
        f"<section><details><summary>Everything as JSON</summary><pre>{document}</pre>"
        "</details></section>"
    )


def _results(report: PipelineReport, name: str, form: type[FormT]) -> Iterator[tuple[str, FormT]]:
    """Yield the id and the result of each finished step with a name."""
    for step in report.steps:
        if step.step == name and step.done:
            yield step.id, from_json(form, step.result)


def _number(value: float | None, digits: int) -> str:
    return "none" if value is None else f"{value:.{digits}f}"
