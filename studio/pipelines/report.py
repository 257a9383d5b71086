"""The report of a pipeline: one HTML file with graph, variants, latencies and deployments."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

import studio
from studio.documents.dataclass_json import from_json
from studio.documents.html import Html, page, paragraph, picture, pill, section, table
from studio.jobs import Arguments, Job, Result
from studio.models.drawing import svg
from studio.models.graphfile import read
from studio.pipelines.run_report import DONE
from studio.profiling.chart import latency_figure
from studio.profiling.results import ProfileResult
from studio.settings import resource

_MOST_DRAWN = 2_000
"""A drawing of more nodes is of no use in a page; ``studio graph`` makes one that can be zoomed."""

Steps = list[Mapping[str, Any]]


def render(arguments: Arguments, job: Job) -> Result:
    """Write ``report.html`` into the job's folder. A step's work, run in a worker.

    Args:
        arguments: ``report`` (a PipelineReport as JSON) and ``graphs`` (title and path of each).
        job: The worker's job.
    """
    report = arguments["report"]
    steps: Steps = report["steps"]
    body = [
        *_head(report),
        *_gates(report),
        *_graphs(arguments["graphs"], job),
        *_variants(steps),
        *_latencies(steps),
        *_deployments(steps),
        *_requests(steps),
        _all_steps(steps),
        *_artefacts(report),
        _raw(report),
    ]
    style = resource("templates", "report.css").read_text(encoding="utf-8")
    path = job.folder / "report.html"
    path.write_text(page(report["title"], style, body), encoding="utf-8")
    return {"path": str(path)}


def _head(report: Mapping[str, Any]) -> Iterator[Html]:
    word = {0: "succeeded", 3: "not met"}.get(report["exit_code"], "failed")
    yield Html(f"<h1>{escape(report['title'])} {pill(word)}</h1>")
    when = datetime.now().astimezone().strftime("%d %B %Y, %H:%M %Z")
    yield paragraph(
        f"{when} · Edgewright {studio.__version__} · {platform.node()}, {platform.machine()}, "
        f"{platform.system()} {platform.release()}",
        "dim",
    )


def _gates(report: Mapping[str, Any]) -> Iterator[Html]:
    if report["gates"]:
        rows = [
            (
                gate["name"] + (f" ({gate['text']})" if gate.get("text") else ""),
                "no value" if gate["value"] is None else f"{gate['value']:.4g}",
                gate["limit"],
                pill("met" if gate["passed"] else "not met"),
            )
            for gate in report["gates"]
        ]
        yield section("Gates", table(("Gate", "Value", "Limit", ""), rows, " n"))


def _graphs(graphs: list[Mapping[str, str]], job: Job) -> Iterator[Html]:
    for graph in graphs:
        job.progress(0, 0, "drawing the graph")
        model, layout = read(Path(graph["path"]))
        count = len(model.graph.nodes)
        title = f"Graph of {graph['title']}"
        if count > _MOST_DRAWN:
            yield section(title, paragraph(f"{count:,} nodes: too many to be drawn in a page."))
            continue
        image = picture(svg(model.graph, layout), title, "")
        yield section(
            title, paragraph(f"{count:,} nodes", "dim"), Html(f'<div class="graph">{image}</div>')
        )


def _variants(steps: Steps) -> Iterator[Html]:
    rows = [_variant(step["name"], step["result"]) for step in _done(steps, "quantize")]
    if rows:
        head = ("Variant", "Size", "Metric", "Before", "After", "SQNR dB", "Took s")
        yield section("Variants", table(head, rows, " n nnnn"))


def _variant(name: str, result: Mapping[str, Any]) -> tuple[object, ...]:
    metric = result.get("metric") or {}
    return (
        name,
        f"{100 * result['size_ratio']:.0f} %",
        metric.get("name", "none"),
        _number(metric.get("before"), 4),
        _number(metric.get("after"), 4),
        _number(result.get("sqnr_db"), 1),
        _number(result.get("seconds"), 1),
    )


def _latencies(steps: Steps) -> Iterator[Html]:
    for step in _done(steps, "profile"):
        result = step["result"]
        yield section(
            "Latency",
            picture(latency_figure(from_json(ProfileResult, result)), "Latency of each variant"),
            _runs(result),
            _verdicts(result),
        )


def _runs(result: Mapping[str, Any]) -> Html:
    rows = []
    for run in result["runs"]:
        latency = run.get("latency_ms") or {}
        numbers = (_number(latency.get(name), 3) for name in ("p50", "p90", "p99"))
        error = run.get("relative_error")
        shown = "reference" if error is None else f"{error:.1g}"
        first = (run["model"], run["backend"], run["device"])
        first = (*first, *(run.get(name) or "unknown" for name in ("precision", "threads")))
        rows.append((*first, *numbers, shown))
    names = ("Variant", "Runtime", "Device", "Computes in", "Threads")
    head = (*names, "p50 ms", "p90 ms", "p99 ms", "Relative error")
    return table(head, rows, "    nnnnn")


def _verdicts(result: Mapping[str, Any]) -> Html:
    rows = [
        (
            f"{verdict['b']} against {verdict['a']}",
            _number(verdict["ratio"], 3),
            f"{_number(verdict['low'], 3)} to {_number(verdict['high'], 3)}",
            pill(verdict["verdict"]),
        )
        for verdict in result["verdicts"]
    ]
    return table(("Comparison", "Ratio", "Interval", "Verdict"), rows, " nn")


def _deployments(steps: Steps) -> Iterator[Html]:
    for step in _done(steps, "deploy"):
        result = step["result"]
        rows = [
            (pill(item["state"]), item["name"], item["text"], _number(item.get("seconds"), 2))
            for item in result["steps"]
        ]
        title = f"Deployment of version {result['version']} to {result['target']}"
        yield section(title, table(("State", "Step", "", "s"), rows, "   n"))
    for step in _done(steps, "rollback"):
        result = step["result"]
        yield section(
            f"Rollback of {result['target']}",
            paragraph(
                f"From version {result['from']} to version {result['to']} "
                f"in {result['seconds']:.2f} s."
            ),
        )


def _requests(steps: Steps) -> Iterator[Html]:
    rows = []
    for step in _done(steps, "call"):
        result, latency = step["result"], step["result"]["latency_ms"]
        shown = (_number(latency.get(name), 2) for name in ("p50", "p90"))
        rows.append((step["name"], result["requests"], result["failed"], *shown))
    if rows:
        head = ("Step", "Requests", "Failed", "p50 ms", "p90 ms")
        yield section("Requests to the deployed model", table(head, rows, " nnnn"))


def _all_steps(steps: Steps) -> Html:
    rows = [
        (step["name"], step["step"], pill(step["state"]), f"{step['seconds']:.1f}", step["message"])
        for step in steps
    ]
    return section("Steps", table(("Id", "Step", "State", "s", ""), rows, "   n"))


def _artefacts(report: Mapping[str, Any]) -> Iterator[Html]:
    rows = list((report.get("artefacts") or {}).items())
    if rows:
        note = "Equal inputs and tools give equal digests; a bundle's leave out number and date."
        yield section("Digests (SHA-256)", paragraph(note, "dim"), table(("What", "Digest"), rows))


def _raw(report: Mapping[str, Any]) -> Html:
    document = escape(json.dumps(report, indent=1, default=str))
    return Html(
        f"<section><details><summary>Everything as JSON</summary><pre>{document}</pre>"
        "</details></section>"
    )


def _done(steps: Steps, name: str) -> Steps:
    return [step for step in steps if step["step"] == name and step["state"] in DONE]


def _number(value: float | None, digits: int) -> str:
    return "none" if value is None else f"{value:.{digits}f}"
