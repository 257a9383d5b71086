"""``studio stream``: pictures, a video or a camera, answered by what a target serves."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from studio.cli.flags import given
from studio.cli.session import add_step, finish, workspace


def add(parser: argparse.ArgumentParser) -> None:
    """Describe the arguments."""
    add_step(parser, "stream")


def run(arguments: argparse.Namespace) -> int:
    """Send frames until they end or the user stops them, and print what came of them."""
    with workspace() as opened:
        job = opened.start("stream", **given(arguments, opened.steps["stream"].form))
        try:
            outcome = job.wait()
        except KeyboardInterrupt:  # the natural end of a camera, not a failure
            job.cancel()
            outcome = job.wait()
        assert outcome is not None
        return finish(outcome, arguments, describe)


def describe(result: Mapping[str, Any]) -> list[str]:
    """The summary, with the last answer."""
    latency = result["latency_ms"]
    times = ", ".join(
        f"{name} {value:.2f} ms" for name, value in latency.items() if value is not None
    )
    lines = [
        f"{result['answered']} of {result['frames']} frames answered by {result['model']} "
        f"v{result['version']} on {result['target']} in {result['seconds']:.1f} s "
        f"({result['fps']:.1f} a second)",
        f"dropped   {result['dropped']}",
        f"failed    {result['failed']}",
        f"latency   {times or '-'} from capture to answer",
    ]
    lines += [f"          {count} x {text}" for text, count in result["failures"].items()]
    return lines + [f"last      {line}" for line in _answer(result["answer"] or {})]


def _answer(answer: Mapping[str, Any]) -> list[str]:
    kind = answer.get("kind")
    if kind == "classes":
        return [", ".join(f"{c['label']} {100 * c['score']:.1f} %" for c in answer["classes"])]
    if kind == "text":
        return [f"{answer['text']!r} ({100 * answer['score']:.1f} %)"]
    if kind == "boxes":
        return [f"{b['label']} {100 * b['score']:.1f} % at {b['box']}" for b in answer["boxes"]]
    return list(answer.get("values", ()))
