"""Lines for people about apps."""

from __future__ import annotations

from studio.documents.text_table import table
from studio.features.apps.results import AppCheck, AppCreated, AppRun

_MOST_EVENTS = 20
_GATE = 3


def created(result: AppCreated) -> list[str]:
    """Return the files of a new app, and what to do next."""
    return [
        f"{result.folder} is an app: complete app.toml, then check it.",
        *(f"  {name}" for name in result.files),
        f"studio app check {result.folder}",
    ]


def checked(result: AppCheck) -> list[str]:
    """Return the parts of an app."""
    rows = [
        (part.name, part.group, part.type, ", ".join(part.inputs), part.gives or "events")
        for part in result.parts
    ]
    lines = [f"{result.title} can run.", ""]
    lines += table(("part", "group", "type", "input", "gives"), rows)
    if result.models:
        lines += ["", *(f"model {one.name}: {one.file} ({one.task})" for one in result.models)]
    needs = [f"{name}{version}" for name, version in result.requirements.items()]
    lines += [f"a target needs {', '.join(needs)}"] if needs else []
    lines += [f"Python code of the app: {name}" for name in result.own_steps]
    return [*lines, *(f"warning: {text}" for text in result.warnings)]


def ran(result: AppRun) -> list[str]:
    """Return what happened, and at which speed."""
    lines = [_event(row) for row in result.events[-_MOST_EVENTS:]]
    if result.count > _MOST_EVENTS:
        lines.insert(0, f"... {result.count - _MOST_EVENTS} earlier events")
    latency = result.latency_ms
    lines += [
        "",
        f"{result.frames} frames in {result.seconds:.1f} s ({result.fps:.1f} a second), "
        f"{result.count} events",
        f"latency   p50 {latency['p50']} ms, p95 {latency['p95']} ms from frame to event",
    ]
    for name, source in result.sources.items():
        reason = f" ({source['reason']})" if source["reason"] else ""
        lines.append(f"{name:9} {source['state']}{reason}, dropped {source['dropped']}")
    for name, sink in (result.sinks or {}).items():
        reason = f": {sink['reason']}" if sink["reason"] else ""
        lines.append(f"{name:9} {sink['delivered']} delivered, {sink['waiting']} waiting{reason}")
    lines += [f"failed    {result.failed} frames: {result.fault}"] if result.failed else []
    lines += [f"{path} written" for path in result.written or ()]
    lines += [f"{result.output} written"] if result.output else []
    return lines


def tested(result: AppRun) -> list[str]:
    """Return how the events compare with the known ones."""
    lines = [f"missing   {_event(row)}" for row in (result.missing or ())[:_MOST_EVENTS]]
    lines += [f"extra     {_event(row)}" for row in (result.extra or ())[:_MOST_EVENTS]]
    found = f"{result.matched} of {result.expected} expected events found"
    return [
        *lines,
        f"{found}, {len(result.extra or ())} others; F1 {result.f1:.3f}: "
        + ("passed" if result.passed else "failed"),
        *([f"failed    {result.failed} frames: {result.fault}"] if result.failed else []),
    ]


def exit_code(result: AppRun) -> int:
    """Return 0 for a passed test, and 3, as of any gate, for another."""
    return 0 if result.passed else _GATE


def _event(row: object) -> str:
    if not isinstance(row, dict):
        return str(row)
    known = ("id", "kind", "time", "at_s", "frame", "source", "step")
    rest = ", ".join(f"{key} {value}" for key, value in row.items() if key not in known)
    place = row.get("step") or row.get("source") or ""
    return f"{row.get('at_s', 0):9.2f} s  {row.get('kind', '')} {place}  {rest}".rstrip()
