"""Plan of a profile in tokens: the candidates, and the work that each of them does."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from statistics import NormalDist

from studio.api import InvalidData, UsageError
from studio.plugin_host import PluginHost
from studio.profiling.language.environments import (
    TextBackendChoice,
    choose_text,
    own_backend,
    takes,
)
from studio.profiling.plan import BLOCK_SECONDS, Candidate, unique_label
from studio.profiling.step import DEFAULT, ProfileOptions
from studio.registry import ModelRef
from studio.runtime.bench.config import Candidate as BenchCandidate
from studio.runtime.bench.config import Config
from studio.runtime.bench.tokens.plan import TokenPlan

MOST_PROMPTS = 200
"""Prompts that are read of a file; a profile makes fewer rounds."""

_DRAWN = 20
_MOST_BYTES = 16 << 20
_KEYS = ("prompt", "text", "input")


def lengths(numbers: Sequence[int]) -> tuple[int, ...]:
    """Return the tokens of each prompt: one number, or those of a distribution.

    Two numbers are the median and the 95th percentile of a log-normal distribution. Its
    quantiles are taken at even steps, in a fixed random order.

    Raises:
        UsageError: when the numbers are more than two, or the second one is the smaller.
    """
    given = list(numbers)
    if len(given) == 1:
        return (given[0],)
    if len(given) != 2 or given[1] < given[0]:
        raise UsageError(
            "Prompt lengths are one number, or a median and a larger 95th percentile.",
            hint="Example: --prompt-tokens 128,512",
        )
    spread = math.log(given[1] / given[0]) / NormalDist().inv_cdf(0.95)
    steps = (NormalDist().inv_cdf((step + 0.5) / _DRAWN) for step in range(_DRAWN))
    drawn = [max(1, round(given[0] * math.exp(spread * step))) for step in steps]
    random.Random(0).shuffle(drawn)
    return tuple(drawn)


def texts(path: Path) -> tuple[str, ...]:
    """Read prompts: JSON lines with a text, or with an object whose ``prompt`` is one.

    Raises:
        InvalidData: when the file holds no prompts, or a line is neither.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise InvalidData(f"{path.name} is larger than {_MOST_BYTES >> 20} MiB.")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InvalidData(f"{path.name} cannot be read: {reason}.") from error
    numbered = [(number, line) for number, line in enumerate(lines, 1) if line.strip()]
    if not numbered:
        raise InvalidData(f"{path.name} has no prompts.")
    return tuple(_text(path, number, line) for number, line in numbered[:MOST_PROMPTS])


def _text(path: Path, number: int, line: str) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    if isinstance(value, dict):
        value = next((value[key] for key in _KEYS if key in value), None)
    if not isinstance(value, str) or not value.strip():
        raise InvalidData(
            f"Line {number} of {path.name} has no prompt.",
            hint='Write one JSON object a line: {"prompt": "What is the capital of France?"}',
        )
    return value


_OTHER_MODES = ("throughput", "open-loop", "sustained")
_NO_RUNNER = Path()


def text_candidates(host: PluginHost, options: ProfileOptions) -> list[Candidate]:
    """Return every variant on every backend that runs it; the first is the reference.

    Raises:
        UsageError: when a backend runs none of the variants, or the mode is no mode of theirs.
        Unavailable: when an environment is not installed.
    """
    if options.mode in _OTHER_MODES:
        raise UsageError(
            f"Language models are measured in tokens; the mode {options.mode} is for other models.",
            hint="Omit --mode; --streams 1,2,4 measures several answers at once.",
        )
    if options.target is not None and not options.target.url.startswith("local:"):
        raise UsageError(
            "Language models are profiled on this computer only.", hint="Omit --target."
        )
    common = {"threads": options.threads, "cache": options.cache}
    asked = list(options.backend or [DEFAULT])
    own = asked == [DEFAULT]
    named = list(dict.fromkeys(own_backend(model) for model in options.model)) if own else asked
    chosen = choose_text(host, named, common)
    pairs = [(model, one) for one in chosen for model in options.model if takes(one.backend, model)]
    _check(chosen, options.model)
    made: list[Candidate] = []
    for model, one in pairs:
        made.append(_candidate(model, one, [each.label for each in made], many=len(chosen) > 1))
    return made


def text_configuration(
    chosen: Sequence[Candidate], options: ProfileOptions, trained: int = 0
) -> Config:
    """Return the bench's configuration.

    Args:
        trained: Tokens of context that the models were made for; 0 where it is not known.

    Raises:
        InvalidData: when the file with prompts cannot be read.
        UsageError: when the lengths are no distribution.
    """
    plan = TokenPlan(
        lengths=lengths(options.prompt_tokens),
        texts=texts(options.prompts) if options.prompts else (),
        answer=options.answer_tokens,
        streams=list(dict.fromkeys(options.streams)),
        contexts=list(dict.fromkeys(options.contexts or ())),
    )
    if plan.texts and trained:  # how many tokens a text has is only known to the tokenizer
        plan = replace(plan, context=min(plan.room, trained))
    return Config(
        candidates=tuple(_bench_candidate(each) for each in chosen),
        rounds=options.rounds,
        seconds=options.seconds,
        mode="tokens",
        looks=options.interim_checks,
        twin=len(chosen) > 1,
        energy=BLOCK_SECONDS if options.energy or options.meter else 0.0,
        meter=str(options.meter or ""),
        tokens=plan,
    )


def _candidate(
    model: ModelRef, chosen: TextBackendChoice, taken: Sequence[str], *, many: bool
) -> Candidate:
    label = f"{model.model_name}:{model.name}" + (f"@{chosen.text}" if many else "")
    return Candidate(
        unique_label(label, taken),
        model,
        chosen.backend.id,
        _NO_RUNNER,
        chosen.options,
        chosen.text,
        chosen.python,
        memory_mb=chosen.memory_mb,
    )


def _bench_candidate(candidate: Candidate) -> BenchCandidate:
    return BenchCandidate(
        candidate.label,
        candidate.model.path,
        "",
        dict(candidate.options),
        candidate.python,
        memory_mb=candidate.memory_mb,
        backend=candidate.backend,
    )


def _check(chosen: Sequence[TextBackendChoice], models: Sequence[ModelRef]) -> None:
    for one in chosen:
        if not any(takes(one.backend, model) for model in models):
            suffixes = " and ".join(one.backend.suffixes)
            raise UsageError(
                f"{one.backend.title} runs language models in {suffixes} files, not these.",
                hint=f"Omit {one.text}, or pass such a variant.",
            )
