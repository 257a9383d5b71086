"""A profile as one file for others: an HTML page, CSV, JSON, or a figure for a publication."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, replace
from html import escape
from pathlib import Path

import studio
from studio.api import StudioError, UsageError
from studio.documents.dataclass_json import JsonValue, to_json
from studio.documents.html import Html, page, paragraph, picture, pill, section, table
from studio.jobs import Job
from studio.profiling import tables
from studio.profiling.chart import (
    interval_figure,
    latency_figure,
    open_loop_figure,
    sustained_figure,
    throughput_figure,
    tradeoff_figure,
)
from studio.profiling.history import ProfileDocument, read_profile
from studio.profiling.step import ExportOptions, ExportResult
from studio.registry import Registry, below
from studio.runtime.bench.facts import EnergySensor, NoEnergySensor
from studio.settings import full_path, resource

FIGURES = (".png", ".pdf", ".svg")
SUFFIXES = (".html", ".csv", ".json", *FIGURES)


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


def write(options: ExportOptions, job: Job) -> ExportResult:
    """Write the file into the job's folder. A step's work, run in a worker."""
    suffix = options.out.suffix.lower()
    if suffix not in SUFFIXES:
        forms = ", ".join(SUFFIXES)
        raise UsageError(f"A profile is written as {forms}; {options.out.name} is none.")
    document = _read(options.profile)
    path = job.folder / f"profile{suffix}"
    if suffix in FIGURES:
        from studio.documents.figures import write_figure  # loads matplotlib
        from studio.profiling.figures import profile_figure

        write_figure(profile_figure(document), path)
        return ExportResult(path.name, path.stat().st_size)
    if suffix == ".csv":
        text = tables.as_csv(read_profile(document))
    elif suffix == ".json":
        text = json.dumps(document, indent=1) + "\n"
    else:
        text = html(document)
    path.write_text(text, encoding="utf-8", newline="")
    return ExportResult(path.name, path.stat().st_size)


def written(
    registry: Registry, options: ExportOptions, result: ExportResult, folder: Path
) -> ExportResult:
    """Copy the file to where the user wants it."""
    output = full_path(options.out)
    try:
        shutil.copyfile(below(folder, result.output), output)
    except OSError as error:
        raise StudioError(f"{output} could not be written: {error.strerror}.") from None
    return replace(result, output=str(output))


def _read(path: Path) -> dict[str, JsonValue]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read as a profile: {error}.") from None
    if not isinstance(document, dict) or not isinstance(document.get("runs"), list):
        raise UsageError(f"{path} is not a profile: it has no runs.")
    return document


def html(document: Mapping[str, JsonValue]) -> str:
    """Return the page: conclusions first, then figures, tables, machine, everything as JSON."""
    profile = read_profile(document)
    title = f"Profile of {profile.model or 'a model'}"
    body = [
        *_head(title, profile),
        *_figures(profile),
        section("Runs", _runs(profile)),
        *_comparisons(profile),
        *_placement(profile),
        *_energy(profile),
        *_operators(profile),
        section("The machine", _machine(profile)),
        _raw(document),
    ]
    style = resource("templates", "report.css").read_text(encoding="utf-8")
    return page(title, style, body)


def _head(title: str, profile: ProfileDocument) -> Iterator[Html]:
    yield Html(f"<h1>{escape(title)}</h1>")
    parts = (
        profile.at,
        f"run {profile.run}" if profile.run else "",
        f"on {profile.target}",
        f"mode {profile.mode}",
        f"Edgewright {studio.__version__}",
    )
    yield paragraph(" · ".join(part for part in parts if part), "dim")
    sentences = (*(each.text for each in profile.verdicts), *profile.notes)
    items = "".join(f"<li>{escape(text)}</li>" for text in sentences)
    if items:
        yield section("In short", Html(f"<ul>{items}</ul>"))


def _figures(profile: ProfileDocument) -> Iterator[Html]:
    for title, draw in (
        ("Distribution of latencies", latency_figure),
        ("Ratios with their intervals", interval_figure),
        ("Accuracy, latency and size", tradeoff_figure),
        ("Throughput", throughput_figure),
        ("Latency against the rate of requests", open_loop_figure),
        ("Latency over time", sustained_figure),
    ):
        drawing = draw(profile)
        if drawing:
            yield section(title, picture(drawing, title))


def _runs(profile: ProfileDocument) -> Html:
    head = (
        *("Variant", "Runtime", "Device", "Computes in", "Threads"),
        *("p50 ms", "p90 ms", "p99 ms", "First ms", "Peak MiB", "Relative error", ""),
    )
    rows = [
        (
            run.id,
            " ".join(part for part in (run.runtime, run.version) if part),
            run.device or "",
            run.precision,
            run.threads or "",
            *(_number(value) for value in astuple(run.latency_ms)),
            *(_number(value) for value in (run.first_ms, run.memory_mb, run.relative_error)),
            ": ".join(part for part in (run.state, run.reason) if part),
        )
        for run in profile.runs
    ]
    return table(head, rows, "    nnnnnnn ")


def _comparisons(profile: ProfileDocument) -> Iterator[Html]:
    rows = [
        (
            each.name,
            _number(each.ratio),
            f"{_number(each.low)} to {_number(each.high)}",
            f"{100 * each.margin:.1f} %",
            pill(each.verdict),
        )
        for each in profile.verdicts
    ]
    if rows:
        head = ("Comparison", "Ratio", "Interval", "Margin", "Verdict")
        yield section("Comparisons", table(head, rows, " nnn "))


def _placement(profile: ProfileDocument) -> Iterator[Html]:
    rows = [
        (
            each.id,
            each.asked,
            ", ".join(f"{100 * share:.0f} % {place}" for place, share in each.providers.items()),
            "not known" if each.fallback is None else f"{100 * each.fallback:.0f} %",
        )
        for each in (profile.placement.runs if profile.placement else ())
    ]
    if rows:
        head = ("Run", "Asked for", "Ran on", "Elsewhere")
        yield section("Where it ran", table(head, rows, "   n"))


def _energy(profile: ProfileDocument) -> Iterator[Html]:
    energy = profile.energy
    if isinstance(energy, NoEnergySensor):
        yield section("Energy", paragraph(f"No sensor: {energy.reason}."))
    if not isinstance(energy, EnergySensor):
        return
    rows = [
        (run.id, _number(each.mj), f"{_number(each.low)} to {_number(each.high)}",
         _number(each.gross_mj), each.reason)
        for run in profile.runs
        if (each := run.energy)
    ]  # fmt: skip
    head = ("Run", "mJ an inference, net of rest", "Interval", "mJ in all", "")
    about = (
        f"{energy.source} {energy.rail}, asked {energy.asked_hz:g} times a second, new "
        f"values {energy.updates_hz:g} times; {energy.idle_w:.3g} W at rest."
    )
    yield section("Energy", paragraph(about), table(head, rows, " nnn "))


def _operators(profile: ProfileDocument) -> Iterator[Html]:
    for each in profile.operators:
        rows = [
            (
                node.name,
                node.operator,
                _number(node.us),
                f"{100 * node.share:.1f} %",
                ", ".join(node.providers),
            )
            for node in each.nodes[:20]
        ]
        about = f"{100 * each.attributed:.1f} % of the kernels' time is given back to nodes"
        if each.overhead is not None:
            about += f"; profiling itself costs {100 * max(0.0, each.overhead):.0f} %"
        head = ("Node", "Operator", "us", "Share", "Ran on")
        title = f"Slowest nodes of {each.run}"
        yield section(title, paragraph(about + "."), table(head, rows, "  nn "))


def _machine(profile: ProfileDocument) -> Html:
    environment = to_json(profile.environment)
    rows = [
        (title, _plain(environment[key]))
        for key, title in _ENVIRONMENT.items()
        if environment[key] not in (None, [], {}, "")
    ]
    return table(("", ""), rows)


def _raw(document: Mapping[str, JsonValue]) -> Html:
    text = escape(json.dumps(document, indent=1, default=str))
    return Html(
        f"<section><details><summary>Everything as JSON</summary><pre>{text}</pre>"
        "</details></section>"
    )


def _plain(value: JsonValue) -> str:
    """Return lists and objects as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        parts = (f"{key} {_plain(each)}" for key, each in value.items() if each not in (None, []))
        return ", ".join(parts)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(_plain(each) for each in value)
    return str(value)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
