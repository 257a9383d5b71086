"""Process of one language model: loads it, and answers the requests of the bench by line."""

from __future__ import annotations

import contextlib
import importlib
import time
from pathlib import Path
from typing import Any, Sequence

from ...bench.answers import PeakMemory
from ...bench.child import answer_lines, peak_memory_mb
from ...bench.facts import WarmUp
from ...bench.measures.timing import Block, measure, warm_up
from ...bench.tokens.answers import FilledMemory, PreparedPrompts, TextLoaded, TokenBlock
from ...shared.threads import usable_cores
from ..catalog import TEXT_BACKENDS
from ..loader import load_text_model
from ..text_model import Part, TextModel, TextSettings
from .requests import ForcedRequest, answer, forced, prefill_runs

_PROMPT, _ANSWER, _FILL = 1, 2, 3
"""Seeds of tokens."""

_WARM_TOKENS = 8


class TextCandidate:
    """A loaded language model and the answers to the bench's questions, one method for each."""

    def __init__(self) -> None:
        self._model: TextModel | None = None
        self._requests: list[ForcedRequest] = []
        self._place = 0

    @property
    def model(self) -> TextModel:
        """The model; an error before it is loaded."""
        if self._model is None:
            raise RuntimeError("nothing was loaded")
        return self._model

    def load(self, model: str, backend: str, settings: dict[str, Any]) -> TextLoaded:
        """Load the model; times are of the import of the backend and of the load alone."""
        base = peak_memory_mb()
        chosen = TEXT_BACKENDS[backend]
        start = time.perf_counter()
        importlib.import_module(chosen.module)
        imported = time.perf_counter()
        self._model = load_text_model(Path(model), chosen, TextSettings(**settings))
        loaded = time.perf_counter()
        facts = self._model.facts
        return TextLoaded(
            version=facts.version,
            vocabulary=facts.vocabulary,
            context=facts.context,
            threads=settings.get("threads") or usable_cores(),
            import_ms=(imported - start) * 1e3,
            load_ms=(loaded - imported) * 1e3,
            memory_base_mb=base,
        )

    def prepare(self, lengths: Sequence[int], texts: Sequence[str], answer: int) -> PreparedPrompts:
        """Make the prompts: of the texts, else of random tokens in these numbers."""
        facts = self.model.facts
        prompts = [[*facts.begin, *self.model.encode(text)] for text in texts] or [
            forced(facts, length, _PROMPT + number) for number, length in enumerate(lengths)
        ]
        for number, prompt in enumerate(prompts, 1):
            _check(number, len(prompt), answer, facts.context)
        given = forced(facts, answer - 1, _ANSWER)
        self._requests = [ForcedRequest(prompt, given) for prompt in prompts]
        return PreparedPrompts([len(prompt) for prompt in prompts])

    def warm(self, seconds: float) -> WarmUp:
        """Read a short prompt and write tokens until their times are stable."""
        return warm_up(self._next_token, seconds)

    def time(self, runs: int, settle: int) -> Block:
        """Time single tokens of one stream; it is what the energy is measured of."""
        return measure(self._next_token, runs, settle)

    def answers(self, prompt: int, streams: int) -> TokenBlock:
        """Let streams answer a prompt together."""
        self._place = 0
        return answer(self.model, self._requests[prompt % len(self._requests)], streams)

    def fill(self, tokens: int) -> FilledMemory:
        """Fill the cache of one slot, and return the memory that it took."""
        facts = self.model.facts
        for parts in prefill_runs(forced(facts, tokens, _FILL), 1, facts.batch):
            self.model.run(parts)
        return FilledMemory(peak_memory_mb(), shared_memory_mb(), tokens)

    def close(self) -> None:
        """Free the model."""
        if self._model is not None:
            self._model.close()

    def memory(self) -> PeakMemory:
        """Return the peak of the whole process so far, in MiB."""
        return PeakMemory(peak_memory_mb())

    def _next_token(self) -> None:
        """Run one token of a stream that is as long as the first prompt with its answer."""
        model, request = self.model, self._requests[0]
        if not self._place or self._place >= len(request.prompt) + len(request.answer):
            model.keep(0, 0)
            for parts in prefill_runs(request.prompt[:_WARM_TOKENS], 1, model.facts.batch):
                model.run(parts)
            self._place = min(_WARM_TOKENS, len(request.prompt))
        token = request.answer[0] if request.answer else request.prompt[0]
        int(model.run([Part(0, (token,))])[0][-1].argmax())
        self._place += 1


def _check(number: int, prompt: int, answer: int, context: int) -> None:
    if not prompt:
        raise ValueError("prompt {} has no tokens".format(number))
    if prompt + answer > context:
        text = "prompt {} has {:,} tokens: with an answer of {:,} it does not fit in {:,}"
        raise ValueError(text.format(number, prompt, answer, context))


def shared_memory_mb() -> float | None:
    """Return the proportional share of resident memory in MiB; None where it is not counted."""
    with contextlib.suppress(OSError, ValueError):
        for line in Path("/proc/self/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return None


def main() -> int:
    """Answer until standard input ends."""
    return answer_lines(TextCandidate())
