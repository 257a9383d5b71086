"""Sentences for people about the run of a sample."""

from __future__ import annotations

from studio.evaluation.results import OutputsResult, SampleResult
from studio.models.results import Answer

_SHOWN = 3
_LONGEST = 80


def sample(result: SampleResult) -> list[str]:
    """Return the output for the sample with its time, or why it could not be run."""
    if result.run is None:
        return [f"{result.problem} {result.hint}".strip()]
    run = result.run
    return [f"{run.sample}: {in_words(run.answer)} ({run.milliseconds:.2f} ms)"]


def outputs(result: OutputsResult) -> list[str]:
    """Return the meaning of a model's outputs, and the file that has it."""
    end = f"Written to {result.path}. Check it with samples of your own." if result.path else ""
    return [result.meaning, *result.text.splitlines(), *filter(None, [end])]


def in_words(answer: Answer) -> str:
    """Return an answer in a few words: the best class, the text, the boxes, or the outputs."""
    if answer.kind == "classes" and answer.classes:
        return f"{_plain(answer.classes[0].label)}, score {answer.classes[0].score:.2f}"
    if answer.kind == "text":
        return f"“{_plain(answer.text)}”, score {answer.score:.2f}" if answer.text else "no text"
    if answer.kind == "boxes":
        boxes = ", ".join(f"{_plain(one.label)} {one.score:.2f}" for one in answer.boxes[:_SHOWN])
        count = len(answer.boxes)
        more = f" and {count - _SHOWN} more" if count > _SHOWN else ""
        return f"{boxes}{more}" if boxes else "no boxes"
    return _plain("; ".join(answer.values[:_SHOWN]))


def _plain(text: str) -> str:
    """Return printable text of bounded length: labels and outputs come with the model."""
    printable = "".join(char if char.isprintable() else "?" for char in text)
    return printable if len(printable) <= _LONGEST else f"{printable[:_LONGEST]}…"
