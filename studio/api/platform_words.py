"""What a platform's panel tells of a step that went well: one sentence, and lines to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence, whether it is good news, and the lines below it."""

    text: str
    lines: Sequence[str] = ()
    good: bool = True


def tell(verb: str, result: Mapping[str, Any]) -> Told:
    """The result of one of a panel's verbs in words."""
    if verb == "target-probe":
        return Told(f"{result['who']}, {result['where']}")
    if verb == "preview":
        lines = [f"{row['state']:8} {row['name']}: {row['text']}" for row in result["steps"]]
        return Told(_price(result), lines, bool(result["possible"]))
    if verb == "resources":
        found = result["resources"]
        running = sum(bool(one["running"]) for one in found)
        text = f"{running} running." if running else "Nothing is left running."
        return Told(text, [_resource(one) for one in found])
    if verb == "logs":
        lines = result["lines"]
        return Told(f"{len(lines)} lines of the log." if lines else "The log is empty.", lines)
    if verb == "deploy":
        text = f"Version {result['version']} of {result['name']} is {result['state']}"
        return Told(f"{text}: {result['endpoint']}")
    return Told(f"Version {result['to']} of {result['name']} serves: {result['endpoint']}")


def _price(result: Mapping[str, Any]) -> str:
    """What stands in the way, then what an hour costs or why that is not known."""
    blocked = [row["text"] for row in result["steps"] if row["state"] == "blocked"]
    cost, note = result["cost_per_hour"], result["cost_note"]
    text = note if cost is None else f"{cost:.3f} {result['currency']} an hour: {note}"
    return "\n".join([*blocked[:1], text])


def _resource(one: Mapping[str, Any]) -> str:
    cost = one["cost_per_hour"]
    price = f", {cost:.3f} USD an hour" if one["running"] and cost is not None else ""
    return f"{'running' if one['running'] else 'at rest'}  {one['kind']} {one['name']}{price}"
