"""A profile as one file for others: an HTML page, CSV, JSON, or a figure for a publication."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import studio
from studio.api import Kind, Option, StudioError, UsageError
from studio.documents.html import Html, page, paragraph, picture, pill, section, table
from studio.jobs import Arguments, Effect, Job, Result, Step
from studio.profiling import tables
from studio.profiling.report import (
    interval_figure,
    latency_figure,
    open_loop_figure,
    sustained_figure,
    throughput_figure,
    tradeoff_figure,
)
from studio.registry import Registry, below
from studio.settings import resource

FIGURES = (".png", ".pdf", ".svg")
SUFFIXES = (".html", ".csv", ".json", *FIGURES)

PROFILE_EXPORT: Step[Arguments, Result] = Step(
    name="profile-export",
    title="Export the profile",
    summary="Write a profile as one HTML page, CSV, JSON, or as a figure in PNG, PDF or SVG.",
    options=(
        Option("profile", Kind.FILE, required=True, help="What studio profile --json printed."),
        Option(
            "out",
            Kind.OUTPUT,
            required=True,
            help="A file in .html, .csv, .json, .png, .pdf or .svg.",
        ),
    ),
    work="studio.profiling.export:write",
    record="studio.profiling.export:written",
    effect=Effect.PURE,
    in_history=False,
)

Json = Mapping[str, Any]

_ENVIRONMENT = {
    "cpu": "Processor",
    "board": "Machine",
    "cores": "Cores",
    "usable_cores": "of which may be used",
    "memory_mb": "Memory, MiB",
    "os": "System",
    "kernel": "Kernel",
    "virtual": "Runs within",
    "jetson": "Jetson release",
    "power_mode": "Power mode",
    "governors": "Governor",
    "turbo": "Clocks above the nominal one",
    "supply": "Power supply",
    "clock_mhz": "Clock, MHz",
    "temperature_c": "Hottest, °C",
    "throttle": "Throttling",
    "accelerators": "Accelerators",
    "load": "Load before",
    "python": "Python",
    "runtimes": "Runtimes",
    "energy_sensors": "Energy sensors",
}


def write(arguments: Arguments, job: Job) -> Result:
    """Write the file into the job's folder. A step's work, run in a worker."""
    out = Path(arguments["out"])
    suffix = out.suffix.lower()
    if suffix not in SUFFIXES:
        raise UsageError(f"A profile is written as {', '.join(SUFFIXES)}; {out.name} is none.")
    document = _read(Path(arguments["profile"]))
    path = job.folder / f"profile{suffix}"
    if suffix in FIGURES:
        from studio.profiling.figures import profile_figure, write_figure  # loads matplotlib

        write_figure(profile_figure(document), path)
        return {"output": path.name, "bytes": path.stat().st_size}
    if suffix == ".csv":
        text = tables.as_csv(document)
    elif suffix == ".json":
        text = json.dumps(document, indent=1) + "\n"
    else:
        text = html(document)
    path.write_text(text, encoding="utf-8", newline="")
    return {"output": path.name, "bytes": path.stat().st_size}


def written(
    registry: Registry, arguments: Mapping[str, Any], result: dict[str, Any], folder: Path
) -> dict[str, Any]:
    """Copy the file to where the user wants it."""
    output = Path(arguments["out"]).expanduser().absolute()
    try:
        shutil.copyfile(below(folder, result["output"]), output)
    except OSError as error:
        raise StudioError(f"{output} could not be written: {error.strerror}.") from None
    return {**result, "output": str(output)}


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a profile: {error}.") from None
    if not isinstance(document, dict) or not isinstance(document.get("runs"), list):
        raise UsageError(f"{path} is no profile: it has no runs.")
    return document


def html(document: Json) -> str:
    """The page: conclusions first, then figures, tables, the machine, and everything as JSON."""
    title = f"Profile of {document.get('model') or 'a model'}"
    body = [
        *_head(title, document),
        *_figures(document),
        section("Runs", _runs(document)),
        *_comparisons(document),
        *_placement(document),
        *_energy(document),
        *_operators(document),
        section("The machine", _machine(document)),
        _raw(document),
    ]
    style = resource("templates", "report.css").read_text(encoding="utf-8")
    return page(title, style, body)


def _head(title: str, document: Json) -> Iterator[Html]:
    yield Html(f"<h1>{escape(title)}</h1>")
    parts = (
        str(document.get("at") or ""),
        f"run {document['run']}" if document.get("run") else "",
        f"on {document.get('target') or 'local'}",
        f"mode {document.get('mode') or 'latency'}",
        f"Edgewright {studio.__version__}",
    )
    yield paragraph(" · ".join(part for part in parts if part), "dim")
    sentences = [str(each["text"]) for each in document.get("verdicts") or ()]
    items = "".join(f"<li>{escape(text)}</li>" for text in (*sentences, *document.get("notes", ())))
    if items:
        yield section("In short", Html(f"<ul>{items}</ul>"))


def _figures(document: Json) -> Iterator[Html]:
    for title, draw in (
        ("Distribution of latencies", latency_figure),
        ("Ratios with their intervals", interval_figure),
        ("Accuracy, latency and size", tradeoff_figure),
        ("Throughput", throughput_figure),
        ("Latency against the rate of requests", open_loop_figure),
        ("Latency over time", sustained_figure),
    ):
        drawing = draw(document)
        if drawing:
            yield section(title, picture(drawing, title))


def _runs(document: Json) -> Html:
    head = (
        *("Variant", "Runtime", "Device", "Computes in", "Threads"),
        *("p50 ms", "p90 ms", "p99 ms", "First ms", "Peak MiB", "Relative error", ""),
    )
    rows = []
    for run in document["runs"]:
        latency = run.get("latency_ms") or {}
        rows.append(
            (
                run["id"],
                " ".join(str(part) for part in (run.get("runtime"), run.get("version")) if part),
                run.get("device") or "",
                run.get("precision") or "",
                run.get("threads") or "",
                *(_number(latency.get(key)) for key in ("p50", "p90", "p99")),
                *(_number(run.get(key)) for key in ("first_ms", "memory_mb", "relative_error")),
                ": ".join(part for part in (run["state"], run.get("reason")) if part),
            )
        )
    return table(head, rows, "    nnnnnnn ")


def _comparisons(document: Json) -> Iterator[Html]:
    rows = [
        (
            f"{each['b']} against {each['a']}",
            _number(each["ratio"]),
            f"{_number(each['low'])} to {_number(each['high'])}",
            f"{100 * each['margin']:.1f} %",
            pill(each["verdict"]),
        )
        for each in document.get("verdicts") or ()
    ]
    if rows:
        head = ("Comparison", "Ratio", "Interval", "Margin", "Verdict")
        yield section("Comparisons", table(head, rows, " nnn "))


def _placement(document: Json) -> Iterator[Html]:
    rows = [
        (
            each["id"],
            each["asked"],
            ", ".join(f"{100 * share:.0f} % {place}" for place, share in each["providers"].items()),
            "not known" if each["fallback"] is None else f"{100 * each['fallback']:.0f} %",
        )
        for each in (document.get("placement") or {}).get("runs") or ()
    ]
    if rows:
        head = ("Run", "Asked for", "Ran on", "Elsewhere")
        yield section("Where it ran", table(head, rows, "   n"))


def _energy(document: Json) -> Iterator[Html]:
    energy = document.get("energy") or {}
    if not energy:
        return
    if energy["state"] != "measured":
        yield section("Energy", paragraph(f"No sensor: {energy['reason']}."))
        return
    rows = [
        (run["id"], _number(each["mj"]), f"{_number(each['low'])} to {_number(each['high'])}",
         _number(each["gross_mj"]), each["reason"])
        for run in document["runs"]
        if (each := run.get("energy"))
    ]  # fmt: skip
    head = ("Run", "mJ an inference, net of rest", "Interval", "mJ in all", "")
    about = (
        f"{energy['source']} {energy['rail']}, asked {energy['asked_hz']:g} times a second, new "
        f"values {energy['updates_hz']:g} times; {energy['idle_w']:.3g} W at rest."
    )
    yield section("Energy", paragraph(about), table(head, rows, " nnn "))


def _operators(document: Json) -> Iterator[Html]:
    for each in document.get("operators") or ():
        rows = [
            (
                node["name"],
                node["operator"],
                _number(node["us"]),
                f"{100 * node['share']:.1f} %",
                ", ".join(node["providers"]),
            )
            for node in each["nodes"][:20]
        ]
        about = f"{100 * each['attributed']:.1f} % of the kernels' time is given back to nodes"
        if each.get("overhead") is not None:
            about += f"; profiling itself costs {100 * max(0.0, each['overhead']):.0f} %"
        head = ("Node", "Operator", "us", "Share", "Ran on")
        title = f"Slowest nodes of {each['run']}"
        yield section(title, paragraph(about + "."), table(head, rows, "  nn "))


def _machine(document: Json) -> Html:
    environment = document.get("environment") or {}
    rows = [
        (title, _plain(environment[key]))
        for key, title in _ENVIRONMENT.items()
        if environment.get(key) not in (None, [], {}, "")
    ]
    return table(("", ""), rows)


def _raw(document: Json) -> Html:
    text = escape(json.dumps(document, indent=1, default=str))
    return Html(
        f"<section><details><summary>Everything as JSON</summary><pre>{text}</pre>"
        "</details></section>"
    )


def _plain(value: Any) -> str:
    """Lists and objects in words."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        parts = (f"{key} {_plain(each)}" for key, each in value.items() if each not in (None, []))
        return ", ".join(parts)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_plain(each) for each in value)
    return str(value)


def _number(value: Any) -> str:
    return "" if not isinstance(value, int | float) else f"{value:.4g}"
