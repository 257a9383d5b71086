"""``studio quantize``: a smaller model, and what that costs."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.flags import hide_former
from studio.cli.session import add_step, run_step
from studio.documents.text_table import counted


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "quantize")
    hide_former(
        parser.add_argument(
            "--estimate",
            "--predict",
            action="store_true",
            help="estimate the int8 speed-up on this machine and exit",
        ),
        "--predict",
    )


def run(arguments: argparse.Namespace) -> int:
    """Quantize and print."""
    if arguments.estimate:
        arguments.outlook = arguments.trial = True
        return run_step("quantize-preview", arguments, foretold)
    return run_step("quantize", arguments, describe)


def foretold(result: Mapping[str, Any]) -> list[str]:
    """Whether it will be faster, and what stands in the way of the data."""
    outlook = result["outlook"]
    lines = [outlook["sentence"] if outlook else "Nothing can be said of this method beforehand."]
    for name in ("data", "eval_data"):
        found = result[name] or {}
        if found.get("problem"):
            lines.append(f"{found['problem']} {found['hint']}".strip())
    return lines


def describe(result: Mapping[str, Any]) -> list[str]:
    """The new variant in a few lines."""
    lines = [
        f"Written to {result['output']}",
        f"size      {result['size_ratio']:.2f} of the original",
    ]
    metric = result.get("metric")
    if metric:
        lines.append(
            f"{metric['name']:<9} {metric['before']:.4f} before, {metric['after']:.4f} after "
            f"({metric['samples']} samples; {metric['changed'][0]} regressed, "
            f"{metric['changed'][1]} improved)"
        )
    if result.get("sqnr_db") is not None:
        lines.append(f"SQNR      {result['sqnr_db']:.1f} dB at the outputs")
    if result.get("latency_ratio"):
        lines.append(
            "latency   {:.2f} of the original, {:.2f} to {:.2f}, ".format(
                result["latency_ratio"], *result["latency_interval"]
            )
            + counted(result.get("threads") or 1, "thread")
        )
    lines.extend(f"note      {note}" for note in result.get("notes") or ())
    if result.get("advice"):
        lines.append(f"advice    {result['advice']}")
    lines.extend(
        f"front     {len(trial['kept'])} layers in float: loss {trial['drop']:.4f}, "
        f"latency about {trial['latency_ratio']:.2f}"
        for trial in (result.get("search") or {}).get("front", ())
    )
    lines.append(
        f"duration  {result['seconds']:.1f} s, peak memory {result['peak_memory_mb']:.0f} MB"
    )
    return lines
