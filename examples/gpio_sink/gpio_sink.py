"""Sink of an app that switches a pin of a board, by the kernel's character device for GPIO."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import gpiod
from gpiod.line import Direction, Value

_USUAL = {"chip": "/dev/gpiochip0", "pulse_s": "0", "fresh_s": "10", "active_low": "false"}
_LONGEST_PULSE_S = 60.0


def deliver(events: Sequence[Mapping[str, Any]], state: dict[str, Any]) -> None:
    """Switch the pin for each event in its order.

    Args:
        events: With ``kind`` and ``time`` (seconds since 1970).
        state: Its ``options`` are texts: ``line``, ``on``, ``off``, ``chip``, ``pulse_s``,
            ``fresh_s`` and ``active_low``.

    Raises:
        OSError: when the chip or the line cannot be used. The events come again later.
        ValueError: for options that mean nothing.
    """
    options = {**_USUAL, **state["options"]}
    line, request = _opened(options, state)
    for event in events:
        # An outbox brings old events after a power cut: a gate must not open for those.
        if time.time() - float(event["time"]) > float(options["fresh_s"]):
            continue
        if event["kind"] == options["on"]:
            request.set_value(line, Value.ACTIVE)
            if float(options["pulse_s"]):
                time.sleep(min(float(options["pulse_s"]), _LONGEST_PULSE_S))
                request.set_value(line, Value.INACTIVE)
        elif event["kind"] == options.get("off"):
            request.set_value(line, Value.INACTIVE)


def close(state: dict[str, Any]) -> None:
    """Switch the pin off and give it back."""
    request = state.pop("request", None)
    if request is not None:
        request.set_value(state["line"], Value.INACTIVE)
        request.release()


def _opened(options: Mapping[str, str], state: dict[str, Any]) -> tuple[Any, Any]:
    """Return the line, by its number or its name, and the request that holds it."""
    if "request" not in state:
        if not options.get("line") or not options.get("on"):
            raise ValueError("options need line and on")
        line: Any = int(options["line"]) if options["line"].isdigit() else options["line"]
        settings = gpiod.LineSettings(
            direction=Direction.OUTPUT,
            output_value=Value.INACTIVE,
            active_low=options["active_low"] == "true",
        )
        state["request"] = gpiod.request_lines(
            options["chip"], consumer="edgewright", config={line: settings}
        )
        state["line"] = line
    return state["line"], state["request"]
