"""What a bench said of energy and of the machine at its end, put into the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studio.profiling.recording import Recording

BLOCK_SECONDS = 2.0
"""Length of a block of work, and of rest: an INA3221 says something new some seven times in it."""


def add(result: dict[str, Any], recording: Recording) -> None:
    """Add ``energy`` to a result and to its rows, and ``environment.end``."""
    found = recording.result.get("energy")
    result["energy"] = found and {key: value for key, value in found.items() if key != "runs"}
    for run in result["runs"]:
        run["energy"] = (found or {}).get("runs", {}).get(run["id"])
    result["environment"]["end"] = recording.result.get("environment_end")
    if found and found["state"] != "measured":
        result["notes"] = [*result["notes"], f"Energy was not measured: {found['reason']}."]


def sentences(result: Mapping[str, Any]) -> list[str]:
    """One for each run of which the energy is known: with interval, rail and rates."""
    about = result.get("energy") or {}
    if about.get("state") != "measured":
        return []
    sensor = (
        f"{about['source']} {about['rail']}, asked {about['asked_hz']:g} times a second, "
        f"{about['updates_hz']:g} new values a second"
    )
    lines = []
    for run in result["runs"]:
        found = run.get("energy")
        if found:
            doubt = f"; {found['reason']}" if found["reason"] else ""
            lines.append(
                f"{run['id']}: {found['mj']:.3g} mJ an inference net of rest "
                f"({found['low']:.3g} to {found['high']:.3g}; {sensor}){doubt}."
            )
    return lines
