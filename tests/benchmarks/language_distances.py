"""Distances of releases of a language model from one before them, on answers of their own.

A program for the environment of llama.cpp, which has no other package of the tests:

    python -m tests.benchmarks.language_distances BEFORE COUNT NAME=FILE[:CACHE] ...

It prints a line of JSON for each release: the divergence of each of its answers.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from studio.runtime.generate.backends.llama_cpp import LlamaCppModel
from studio.runtime.generate.conversation import Conversation
from studio.runtime.generate.generator import TextGenerator
from studio.runtime.generate.request import Generation, GenerationRequest
from studio.runtime.generate.sampler import Sampling
from studio.runtime.generate.score_trace import ScoreTrace
from studio.runtime.generate.text_model import TextSettings
from studio.runtime.serve.quality.text_shadow import AnswerDistance, EarlierModel
from tests.rigs.conversations import conversations

_CONTEXT = 2048
_TOKENS = 32
_SETTINGS = TextSettings(threads=1, slots=2, context=_CONTEXT)


class _EveryAnswer:
    """A tap that keeps the scores of the last answer."""

    def sample(self, conversation: Conversation) -> ScoreTrace:
        self.trace = ScoreTrace(_TOKENS)
        return self.trace

    def answered(self, generation: Generation) -> None:
        pass

    def refused(self, conversation: Conversation) -> None:
        pass


def distances(before: EarlierModel, release: str, count: int) -> list[AnswerDistance]:
    """Return the distance of a release from the one before, on each of its answers."""
    file, _, cache = release.partition(":")
    settings = _SETTINGS._replace(cache=cache) if cache else _SETTINGS
    generator = TextGenerator(LlamaCppModel(Path(file), settings))
    generator.tap = tap = _EveryAnswer()
    found = []
    for number, messages in zip(range(count), conversations(5, 0.0), strict=False):
        conversation = Conversation(messages=messages)
        sampling = Sampling(temperature=1.0, seed=number)
        tokens = generator.read(conversation)
        request = GenerationRequest(tokens, _TOKENS, sampling, conversation=conversation)
        generator.answer(request)
        found.append(before.distance(before.prompt_of(conversation), tap.trace))
    generator.loop.close()
    return found


def main() -> int:
    """Print the divergences of each release."""
    earlier = LlamaCppModel(Path(sys.argv[1]), _SETTINGS._replace(slots=1))
    before = EarlierModel(earlier, _CONTEXT)
    for given in sys.argv[3:]:
        name, _, release = given.partition("=")
        found = distances(before, release, int(sys.argv[2]))
        row = {"what": name, "divergence": [one.divergence for one in found]}
        print(json.dumps({**row, "same_top": [one.same_top for one in found]}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
