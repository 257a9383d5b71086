"""Lines for people about the result of a stream."""

from __future__ import annotations

from studio.monitoring.stream.results import FoundBox, FrameAnswer, StreamResult


def stream(result: StreamResult) -> list[str]:
    """Return the summary, with the last answer."""
    latency = result.latency_ms
    named = (("p50", latency.p50), ("p90", latency.p90), ("p99", latency.p99))
    times = ", ".join(f"{name} {value:.2f} ms" for name, value in named if value is not None)
    return [
        f"{result.answered} of {result.frames} frames answered by {result.model} "
        f"v{result.version} on {result.target} in {result.seconds:.1f} s "
        f"({result.fps:.1f} a second)",
        f"dropped   {result.dropped}",
        f"failed    {result.failed}",
        f"latency   {times or '-'} from capture to answer",
        *(f"          {count} x {text}" for text, count in result.failures.items()),
        *(f"last      {line}" for line in _answer(result.answer)),
    ]


def _answer(answer: FrameAnswer | None) -> list[str]:
    if answer is None:
        return []
    if answer.classes is not None:
        return [", ".join(f"{one.label} {100 * one.score:.1f} %" for one in answer.classes)]
    if answer.text is not None:
        return [f"{answer.text!r} ({100 * (answer.score or 0.0):.1f} %)"]
    if answer.boxes is not None:
        return [f"{b.label} {100 * b.score:.1f} % at {list(b.box)}{_more(b)}" for b in answer.boxes]
    return list(answer.values or ())


def _more(box: FoundBox) -> str:
    points = f", {len(box.points)} key points" if box.points else ""
    return f"{points}, with a mask" if box.mask is not None else points
