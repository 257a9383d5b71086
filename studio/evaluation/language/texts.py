"""Sentences for people about the evaluation of a language model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.documents.text_table import counted, table
from studio.evaluation.language.results import (
    AnswerBehaviour,
    AnswerPair,
    FilterScore,
    IntervalValue,
    LanguageScore,
    TaskSetScore,
    TextScore,
    TokenProbabilities,
    WorstPosition,
)

_WORST = "Largest differences (probability by the reference → by the model):"
_SHOWN = 5
_LONGEST = 60
_DOCUMENTS = 12


def language(score: LanguageScore) -> list[str]:
    """Return the figures: texts first, then tasks, behaviour, and answers that differ."""
    other = score.reference
    runtime = score.runtime
    lines = [f"{runtime.model} ({runtime.backend} {runtime.version})"]
    if other is not None:
        lines[0] += f" against {other.model} ({other.backend} {other.version})"
    if score.text is not None:
        lines += ["", *_text(score.text)]
    if score.tasks:
        lines += ["", *_tasks(score.tasks)]
    if score.behaviour is not None:
        lines += ["", *_behaviour(score.behaviour, score.reference_behaviour)]
    if score.equal_answers is not None:
        lines += ["", *_pairs(score)]
    return [*lines, *score.notes]


def _text(text: TextScore) -> Iterator[str]:
    part = "" if text.windows == text.of_windows else f" of {text.of_windows:,}"
    yield (
        f"Text: {counted(text.scored, 'token')} in {text.windows:,}{part} windows of "
        f"{text.window:,}; SHA-256 {text.digest[:12]}"
    )
    likelihood, divergence = text.likelihood, text.divergence
    rows = []
    if divergence is not None:
        rows += [
            ("mean KL divergence (nats)", *_cells(divergence.kl, ".5f")),
            ("same top token", *_cells(divergence.same_top, ".2%")),
        ]
    rows.append(("perplexity", *_cells(likelihood.perplexity, ".3f")))
    if likelihood.reference is not None and likelihood.ratio is not None:
        rows.append(("perplexity of the reference", *_cells(likelihood.reference, ".3f")))
        rows.append(("ratio of perplexities", *_cells(likelihood.ratio, ".4f")))
    yield from table(("", "value", "95 % CI"), rows, " rr")
    if divergence is not None:
        yield (
            f"KL of single tokens: median {divergence.median:.5f}, 99 % {divergence.p99:.4f}, "
            f"maximum {divergence.maximum:.4f}"
        )
    yield f"Intervals: {text.method}, {counted(text.clusters, text.unit.removesuffix('s'))}."
    if len(text.documents) > 1:
        yield from ("", *_documents(text))
    worst = [one for one in text.worst[:_SHOWN] if one.kl > 0]
    if worst:
        yield from (
            "",
            _WORST,
            *map(_worst, worst),
        )


def _documents(text: TextScore) -> list[str]:
    rows = [
        (
            one.name,
            f"{one.scored:,}",
            f"{one.perplexity:.3f}",
            "-" if one.kl is None else f"{one.kl:.5f}",
            "-" if one.same_top is None else f"{one.same_top:.2%}",
        )
        for one in text.documents[:_DOCUMENTS]
    ]
    lines = table(("document", "tokens", "perplexity", "mean KL", "same top"), rows, " rrrr")
    rest = len(text.documents) - _DOCUMENTS
    return (
        [*lines, f"and {counted(rest, 'document')} more; --json lists all"] if rest > 0 else lines
    )


def _worst(one: WorstPosition) -> str:
    place = f"{one.document}, token {one.index:,}, KL {one.kl:.3f}"
    return (
        f"  {place}: …{_quoted(one.before, last=True)} "
        f"→ {_token(one.reference)} by the reference, {_token(one.candidate)} by the model"
    )


def _token(one: TokenProbabilities) -> str:
    """Return a token with its probability by the reference and by the model."""
    return f"{_quoted(one.token)} ({one.reference:.0%} → {one.candidate:.0%})"


def _tasks(tasks: Sequence[TaskSetScore]) -> list[str]:
    rows = [_task(task, one) for task in tasks for one in task.scores]
    open_sets = [one.name for one in tasks if not one.scores]
    head = ("task set", "read", "correct", "share", "95 % CI", "reference", "change", "p")
    lines = table(head, rows, "  rrrrrr") if rows else []
    if open_sets:
        lines.append(f"Without right answers: {', '.join(open_sets)}.")
    return lines


def _task(task: TaskSetScore, one: FilterScore) -> tuple[str, ...]:
    name = f"{task.name} {task.version}".strip()
    value, interval = _cells(one.share, ".1%")
    row = (name, one.filter, f"{one.correct}/{one.items}", value, interval)
    if one.reference is None or one.change is None:
        return (*row, "-", "-", "-")
    change = one.change
    gap = f"{change.value:+.1%} ({change.low:+.1%} to {change.high:+.1%})"
    return (*row, f"{one.reference.value:.1%}", gap, f"{change.p:.3f}")


def _behaviour(ours: AnswerBehaviour, other: AnswerBehaviour | None) -> list[str]:
    def row(title: str, name: str, form: str) -> tuple[str, ...]:
        cells = _cells(getattr(ours, name), form)
        known = _cells(getattr(other, name), form) if other is not None else ("-", "")
        return (title, *cells, *known)

    rows = [
        row("refusals, by patterns", "refusals", ".1%"),
        row("tokens of an answer", "tokens", ".1f"),
        row("cut at the most tokens", "unfinished", ".1%"),
        row("repeated groups of 4 words", "repetition", ".1%"),
        row("ends in a loop", "loops", ".1%"),
    ]
    head = (f"{ours.answers:,} answers", "model", "95 % CI", "reference", "95 % CI")
    return table(head, rows, " rrrr")


def _pairs(score: LanguageScore) -> Iterator[str]:
    assert score.equal_answers is not None
    value, interval = _cells(score.equal_answers, ".1%")
    yield f"Equal answers: {value} ({interval}) of {len(score.answers):,}"
    differing = [one for one in score.answers if one.split is not None]
    for one in differing[:_SHOWN]:
        yield from _pair(one)
    if len(differing) > _SHOWN:
        yield f"and {counted(len(differing) - _SHOWN, 'different answer')} more; --json lists all"


def _pair(one: AnswerPair) -> Iterator[str]:
    assert one.split is not None
    split = one.split
    yield f"  {one.set}/{one.id}: {_quoted(one.prompt)}"
    yield f"    reference: {_quoted(one.reference or '')}"
    yield f"    model:     {_quoted(one.answer)}"
    yield (
        f"    after {counted(split.place, 'equal token')}: {_token(split.reference)} by the "
        f"reference, {_token(split.candidate)} by the model"
    )


def _cells(one: IntervalValue, form: str) -> tuple[str, str]:
    if one.low is None or one.high is None:
        return format(one.value, form), "unknown"
    return format(one.value, form), f"{one.low:{form}} to {one.high:{form}}"


def _quoted(text: str, last: bool = False) -> str:
    """Return a text of a model in quotes: printable, one line, of bounded length."""
    plain = "".join(one if one.isprintable() else {"\n": "⏎"}.get(one, "?") for one in text)
    if len(plain) <= _LONGEST:
        return f"“{plain}”"
    return f"“{plain[-_LONGEST:]}”" if last else f"“{plain[:_LONGEST]}…”"
