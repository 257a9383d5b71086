"""What a platform's panel tells of a step that went well: one sentence, and lines to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studio.lazy_dataclass import dataclass

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence, whether it is good news, and the lines below it."""

    text: str
    lines: Sequence[str] = ()
    good: bool = True


def tell(verb: str, result: Document) -> Told:
    """The result of one of a panel's verbs in words."""
    if verb == "target-probe":
        who, where = _parts(result, "who", "where")
        return Told(f"{who}, {where}")
    if verb == "preview":
        return _preview(result)
    if verb == "resources":
        return _resources(*_parts(result, "resources"))
    if verb == "logs":
        (lines,) = _parts(result, "lines")
        return Told(f"{len(lines)} log lines." if lines else "The log is empty.", lines)
    if verb == "deploy":
        names = ("version", "name", "state", "endpoint")
        version, name, state, endpoint = _parts(result, *names)
        return Told(f"Version {version} of {name} is {state}: {endpoint}")
    version, name, endpoint = _parts(result, "to", "name", "endpoint")
    return Told(f"Version {version} of {name} serves: {endpoint}")


def _preview(result: Document) -> Told:
    """The steps; what stands in the way; what an hour costs, or why that is not known."""
    names = ("steps", "possible", "cost_per_hour", "cost_note")
    steps, possible, cost, note = _parts(result, *names)
    rows = [_parts(row, "state", "name", "text") for row in steps]
    blocked = [text for state, _, text in rows if state == "blocked"]
    price = note if cost is None else f"{cost:.3f} {result['currency']} an hour: {note}"
    lines = [f"{state:8} {name}: {text}" for state, name, text in rows]
    return Told("\n".join([*blocked[:1], price]), lines, bool(possible))


def _resources(resources: Sequence[Document]) -> Told:
    names = ("running", "kind", "name", "cost_per_hour")
    rows = [_parts(one, *names) for one in resources]
    running = sum(bool(row[0]) for row in rows)
    text = f"{running} running." if running else "No resources are running."
    return Told(text, [_resource(*row) for row in rows])


def _resource(running: bool, kind: str, name: str, cost: float | None) -> str:
    price = f", {cost:.3f} USD an hour" if running and cost is not None else ""
    return f"{'running' if running else 'at rest'}  {kind} {name}{price}"


def _parts(document: Document, *names: str) -> list[Any]:
    """Several values of a document, which all must be there."""
    return [document[name] for name in names]
