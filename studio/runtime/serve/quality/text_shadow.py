"""Comparison of a language model's answers with an earlier release, by their distributions.

The served release keeps the scores from which it chose the first tokens of some answers. The
earlier release reads the same conversations by its own template and tokenizer, is given the same
answers, and scores each of their tokens. So sampling is no noise: equal releases have a
divergence of 0 whatever they answer. No client waits for it, and no text is kept.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from pathlib import Path
from typing import Deque, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from ...backends.failure import first_line
from ...generate.conversation import Conversation
from ...generate.generator import TextGenerator
from ...generate.loader import load_text_model
from ...generate.prompt_reader import BadPrompt, PromptReader
from ...generate.request import Generation, Reason
from ...generate.score.distance import LEAST, columns
from ...generate.score.request import ScoreError
from ...generate.score.sequence import TokenSequence, rows_at_once
from ...generate.score_trace import ScoreTrace
from ...generate.text_model import ContextFull, TextModel
from ...shared.errors import LoadError
from ...shared.statistics import wilson
from ...shared.threads import guarded_thread, yield_to_requests
from ...shared.trial_request import TrialRequest
from ..engine.source import from_bundle

MOST_TOKENS = 48
"""Tokens of an answer that are compared."""
MOST_CONTEXT = 4096
"""Tokens of the longest conversation that is compared."""
CHEAP = 512
"""Tokens up to which every prompt is scored.

Of longer ones the share of ``CHEAP`` over their tokens is: each takes as long on average."""
REMEMBERED = 256
"""Conversations that are not compared again: they would not be new observations."""
UNLIKE = 0.75
"""Share of an answer's tokens that both must prefer, so that the answers are alike."""
_LOOKED_AT = 256
"""Tokens whose text is compared."""
_UNTIMED = "the runs of language models are not timed in pairs"

Sample = Tuple[Conversation, Optional[ScoreTrace], Optional[Generation]]
"""A conversation with its answer; both None for one that was refused."""


class AnswerDistance(NamedTuple):
    """Distance of two releases on one answer.

    Attributes:
        divergence: Mean Kullback-Leibler divergence from the earlier release, nats of a token.
        same_top: Share of tokens where both prefer the same one.
    """

    divergence: float
    same_top: float


_NO_NUMBERS = AnswerDistance(-LEAST, 0.0)
"""Of an answer whose scores are not numbers."""


class TextComparison:
    """Counts of compared answers.

    Args:
        diverging: Divergence from which an answer is counted as diverging.

    Attributes:
        compared, agreed: Conversations that were compared, and that have like answers.
        answers, diverging: Answers with a distance, and those among them that diverge.
    """

    def __init__(self, diverging: float) -> None:
        self.compared = self.agreed = self.answers = self.diverging = 0
        self._limit = diverging
        self._sums = np.zeros(2)

    def add(self, found: AnswerDistance, is_whole: bool) -> None:
        """Count an answer.

        Args:
            is_whole: Whether it is no shorter than the earlier release's could be.
        """
        self.compared += 1
        self.agreed += is_whole and found.same_top >= UNLIKE
        self.answers += 1
        self.diverging += found.divergence > self._limit
        self._sums += found

    def add_unscored(self, is_whole: bool) -> None:
        """Count an answer without a distance."""
        self.compared += 1
        self.agreed += is_whole

    def add_refusal(self) -> None:
        """Count a conversation that only the earlier release answers."""
        self.compared += 1

    def means(self) -> AnswerDistance:
        """Return the means of all distances; not a number before the first."""
        if not self.answers:
            return AnswerDistance(math.nan, math.nan)
        return AnswerDistance(*(self._sums / self.answers).tolist())


class EarlierModel:
    """The earlier release, which scores answers that the later one has written.

    Args:
        context: Tokens that it held when it was served.
    """

    def __init__(self, model: TextModel, context: int) -> None:
        self._model = model
        self._context = context
        self._reader = PromptReader(model)
        self._sequence = TokenSequence(model)

    def close(self) -> None:
        """Free its memory."""
        self._model.close()

    def prompt_of(self, conversation: Conversation) -> List[int]:
        """Return the tokens of a prompt as it reads them.

        Raises:
            BadPrompt: when it cannot answer.
        """
        return conversation.read_by(self._reader)

    def has_room(self, tokens: int) -> bool:
        """Return whether its context, as it was served, holds a number of tokens."""
        return tokens < self._context

    def distance(self, prompt: List[int], trace: ScoreTrace) -> AnswerDistance:
        """Return the distance on one answer.

        Raises:
            ContextFull: when both are longer than what can be compared.
            ScoreError: for scores that are not numbers.
        """
        scores, place = trace.scores, 0
        divergence, same = 0.0, 0
        for rows in self._sequence.scores([*prompt, *trace.tokens[:-1]], len(trace.tokens)):
            end = place + len(rows)
            found = columns(scores[place:end], rows, trace.tokens[place:end])
            divergence += float(found["kl"].sum())
            same += int((found["top"] == found["top_reference"]).sum())
            place = end
        return AnswerDistance(divergence / place, same / place)


class TextShadow:
    """The comparison of a language model with an earlier release.

    Args:
        generator: Of the release that is served.
        folder: Bundle of the earlier one.

    Attributes:
        fault: Why nothing is compared (any more); empty while something is.
        loaded: Whether the earlier release can answer.
    """

    def __init__(self, generator: TextGenerator, wish: TrialRequest, folder: Path) -> None:
        self.wish = wish
        self.fault = ""
        self.loaded = False
        self._generator = generator
        self._folder = folder
        self._counts = TextComparison(wish.diverging)
        self._repeated = self._long = 0
        self._seen: Deque[bytes] = deque(maxlen=REMEMBERED)
        self._wanted = False
        self._sample: Optional[Sample] = None
        self._ended = False
        self._came = threading.Event()
        self._most = min(MOST_TOKENS, rows_at_once(generator.model))
        generator.tap = self
        self._thread = guarded_thread("text shadow", self._work, self._failed, lasts=False)
        self._thread.start()

    # In the path of a request

    def sample(self, conversation: Conversation) -> Optional[ScoreTrace]:
        """Return what takes the scores of an answer, if one is wanted now."""
        if not self._wanted:
            return None
        self._wanted = False
        return ScoreTrace(self._most)

    def answered(self, generation: Generation) -> None:
        """Take a sampled answer."""
        trace, conversation = generation.request.trace, generation.request.conversation
        if trace is None or conversation is None:
            return
        if not trace.tokens or generation.reason is Reason.FAILED:
            self._wanted = True
            return
        self._take((conversation, trace, generation))

    def refused(self, conversation: Conversation) -> None:
        """Take a conversation that was refused, if one is wanted now."""
        if self._wanted:
            self._wanted = False
            self._take((conversation, None, None))

    def _take(self, sample: Sample) -> None:
        self._sample = sample
        self._came.set()

    # On the thread of the comparison

    def end(self) -> None:
        """Stop comparing, and unload the other release."""
        self._ended = True
        self._came.set()
        if self._generator.tap is self:
            self._generator.tap = None

    def _work(self) -> None:
        yield_to_requests()
        other: Optional[EarlierModel] = None
        try:
            other = self._load()
            self.loaded = True
            while not self._ended:
                self._wanted = True
                self._came.wait()
                self._came.clear()
                if self._ended or self._sample is None:
                    continue
                start = time.thread_time()
                self._compare(other, *self._sample)
                self._sample = None
                # Of the processor's time, not of the clock's: it is taken where others want it.
                self._rest((time.thread_time() - start) * (1.0 / self.wish.share - 1.0))
        except (LoadError, ModuleNotFoundError) as error:
            self.fault = "The previous release cannot run next to this one: {}".format(error)
        finally:
            self._wanted = False
            if other is not None:
                other.close()

    def _failed(self, error: BaseException) -> None:
        self.fault = "The comparison ended: {}".format(first_line(error))

    def _rest(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._ended and time.monotonic() < deadline:
            time.sleep(min(0.1, seconds))

    def _load(self) -> EarlierModel:
        source = from_bundle(self._folder)
        if not source.backend.generates:
            raise LoadError("it is no language model.")
        wanted = source.text._replace(threads=1, slots=1)
        if not 0 < wanted.context <= MOST_CONTEXT:
            wanted = wanted._replace(context=MOST_CONTEXT)
        model = load_text_model(source.path, source.backend, wanted)
        if not _has_same_tokens(model, self._generator.model):
            model.close()
            raise LoadError("it has other tokens.")
        return EarlierModel(model, source.text.context or model.facts.context)

    def _compare(
        self,
        other: EarlierModel,
        conversation: Conversation,
        trace: Optional[ScoreTrace],
        generation: Optional[Generation],
    ) -> None:
        digest = conversation.digest()
        if digest in self._seen:
            self._repeated += 1
            return
        self._seen.append(digest)
        try:
            prompt = other.prompt_of(conversation)
        except BadPrompt:
            self._long += 1  # what the earlier release did not answer either is no loss
            return
        if trace is None or generation is None:
            self._counts.add_refusal()
            return
        is_whole = self._is_whole(other, prompt, generation)
        if not _is_scored(digest, len(prompt)):
            self._counts.add_unscored(is_whole)
            return
        try:
            self._counts.add(other.distance(prompt, trace), is_whole)
        except ContextFull:  # the later release has more room than this one
            self._counts.add_unscored(is_whole)
        except ScoreError:
            self._counts.add(_NO_NUMBERS, is_whole)

    def _is_whole(self, other: EarlierModel, prompt: List[int], generation: Generation) -> bool:
        """Return whether an answer was not cut where the earlier release would continue."""
        held = len(generation.request.tokens) + generation.produced
        cut = generation.reason is Reason.LENGTH and held >= self._generator.total
        return not cut or not other.has_room(len(prompt) + generation.produced)

    def status(self) -> Dict[str, object]:
        """Return the counts, as plain data."""
        counts, means = self._counts, self._counts.means()
        low, high = wilson(counts.agreed, counts.compared)
        known = counts.answers > 0
        return {
            "release": self.wish.release,
            "trial": self.wish.timed,
            "loaded": self.loaded,
            "low": round(low, 4),
            "high": round(high, 4),
            "compared": counts.compared,
            "agreed": counts.agreed,
            "repeated": self._repeated,
            "timed": 0,
            "slower": 0,
            "ratio": None,
            "fault": self.fault,
            "untimed": _UNTIMED,
            "drift": None,
            "answers": counts.answers,
            "diverging": counts.diverging,
            "divergence": round(means.divergence, 6) if known else None,
            "same_top": round(means.same_top, 4) if known else None,
        }


def _is_scored(digest: bytes, tokens: int) -> bool:
    """Draw whether a conversation is scored, always the same for the same one."""
    drawn = int.from_bytes(digest[:4], "little") / 2**32
    return tokens < MOST_CONTEXT - MOST_TOKENS and drawn * tokens < CHEAP


def _has_same_tokens(one: TextModel, other: TextModel) -> bool:
    """Return whether two models have as many tokens, and the same ones at some places."""
    count = one.facts.vocabulary
    if count != other.facts.vocabulary:
        return False
    places = range(0, count, max(1, count // _LOOKED_AT))
    return all(one.piece(token) == other.piece(token) for token in places)
