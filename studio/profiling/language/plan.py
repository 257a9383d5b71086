"""Plan of a profile in tokens: the candidates, and the work that each of them does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from studio.api import UsageError
from studio.plugin_host import PluginHost
from studio.profiling.language.environments import (
    TextBackendChoice,
    choose_text,
    own_backend,
    takes,
)
from studio.profiling.language.prompts import lengths, texts
from studio.profiling.plan import BLOCK_SECONDS, Candidate, unique_label
from studio.profiling.step import DEFAULT, ProfileOptions
from studio.registry import ModelRef
from studio.runtime.bench.config import Candidate as BenchCandidate
from studio.runtime.bench.config import Config
from studio.runtime.bench.tokens.plan import TokenPlan

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
