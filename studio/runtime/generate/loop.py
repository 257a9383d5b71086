"""The loop of a language model: one thread that runs prompts and answers of all clients."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import Deque, List, NamedTuple, Sequence, Tuple

import numpy as np

from ..backends.failure import first_line
from ..shared.threads import guarded_thread
from .request import AnswerProgress, Generation, GenerationRequest, Listener, Reason
from .slots import Slot, suited
from .text_model import ContextFull, Part, TextModel

_STEP_S = 0.1
"""Seconds that prompts may take of a run while answers of others are being generated."""
_ALONE_S = 2.0
"""Seconds that a run of prompts may take otherwise.

Some backends keep the interpreter's lock while they run: the server answers nothing until then, and
one that is silent for long is taken for hung."""
_CHOICE_S = 5.0
"""Seconds that the choice of one token may take by the format of an answer."""
_FAILED = "The answer failed inside the server; the server's log has the reason."
_FEWEST = 4
"""Tokens of a prompt in a run at least, and before it is known how long one takes."""

_log = logging.getLogger(__name__)


class SlowFormat(Exception):
    """A format of an answer that holds up the answers of others."""


class TooManyRequests(Exception):
    """A queue that is full."""


class QueueLimits(NamedTuple):
    """Limits of the requests.

    Attributes:
        requests: Requests that may wait.
        tokens: Tokens of the prompts that wait and of the answers that they may get; 0 for no
            limit. One request may wait whatever it has.
        total: Tokens of one prompt with its answer; 0 for the context.
    """

    requests: int = 64
    tokens: int = 0
    total: int = 0


DEFAULT_LIMITS = QueueLimits()


class GenerationLoop:
    """Generates several answers at once: each run has a token of all, and parts of prompts.

    New requests join, and finished ones leave, between any two runs (continuous batching, Yu et
    al. 2022). Prompts are cut into parts, so that they do not hold up the answers of others.
    """

    def __init__(self, model: TextModel, limits: QueueLimits = DEFAULT_LIMITS) -> None:
        self._model = model
        self._limits = limits
        self._slots = [Slot(number) for number in range(model.facts.slots)]
        self._queue: Deque[Generation] = deque()
        self._changed = threading.Condition()
        self._closing = self._retiring = False
        self._step = 0
        self._token_s = 0.0
        self._events: List[Tuple[Generation, AnswerProgress]] = []
        self._thread = guarded_thread("generation", self._work, self._fail_all)
        self._thread.start()

    @property
    def model(self) -> TextModel:
        """The model; only its facts and its tokenizer may be used from other threads."""
        return self._model

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    @property
    def promised(self) -> int:
        """Tokens of the prompts that wait, and of the answers that they may get."""
        return sum(len(one.request.tokens) + one.request.most for one in tuple(self._queue))

    @property
    def active(self) -> int:
        """Requests that are being answered."""
        return sum(slot.generation is not None for slot in self._slots)

    @property
    def held(self) -> int:
        """Tokens in the caches of all slots."""
        return sum(len(slot.held) for slot in self._slots)

    def submit(self, request: GenerationRequest, listener: Listener) -> Generation:
        """Queue a request.

        Raises:
            TooManyRequests: when the queue is full, or the loop ends.
        """
        generation = Generation(request, listener)
        with self._changed:
            if self._retiring or not self._thread.is_alive() or not self._has_room(request):
                raise TooManyRequests()
            self._queue.append(generation)
            self._changed.notify()
        return generation

    def cancel(self, generation: Generation) -> None:
        """End an answer that is not wanted any more; its slot is free before the next run."""
        generation.cancelled = True
        with self._changed:
            self._changed.notify()

    def retire(self) -> None:
        """Take no more requests; free the model after the last answer."""
        with self._changed:
            self._retiring = True
            self._changed.notify()

    def close(self) -> None:
        """Cancel what is under way, and free the model; return when that has happened."""
        with self._changed:
            self._closing = self._retiring = True
            self._changed.notify()
        self._thread.join()

    def _has_room(self, request: GenerationRequest) -> bool:
        if len(self._queue) >= self._limits.requests + len(self._slots) - self.active:
            return False
        wanted = self.promised
        limit = self._limits.tokens
        return not limit or not wanted or wanted + len(request.tokens) + request.most <= limit

    # The thread

    def _work(self) -> None:
        while self._wait():
            self._drop_cancelled()
            self._admit()
            if any(slot.generation for slot in self._slots):
                self._run()
            self._tell()
        for generation in (*self._queue, *(s.generation for s in self._slots if s.generation)):
            self._end(generation, Reason.CANCELLED)
        self._tell()
        self._model.close()

    def _wait(self) -> bool:
        """Sleep while there is nothing to do; return whether the loop continues."""
        with self._changed:
            while not (self._retiring or self._queue or self.active):
                self._changed.wait()
            return not self._closing and bool(self._queue or self.active)

    def _tell(self) -> None:
        events, self._events = self._events, []
        for generation, progress in events:
            try:
                generation.listener(progress)
            except Exception as error:  # the listeners of other answers must hear of them
                _log.warning("a listener of an answer failed", exc_info=error)

    def _drop_cancelled(self) -> None:
        with self._changed:
            gone = [one for one in self._queue if one.cancelled]
            for generation in gone:
                self._queue.remove(generation)
        for generation in gone:
            self._end(generation, Reason.CANCELLED)
        for slot in self._slots:
            if slot.generation is not None and slot.generation.cancelled:
                self._end(slot.generation, Reason.CANCELLED)
                slot.free()

    def _admit(self) -> None:
        """Give free slots to those that have waited longest."""
        while self._queue:
            slot = suited(self._slots, self._queue[0].request.tokens)
            if slot is None:
                return
            with self._changed:
                generation = self._queue.popleft()
            generation.times = generation.times._replace(started=time.monotonic())
            try:
                slot.take(generation, self._model)
            except Exception as error:
                _log.warning("an answer could not begin", exc_info=error)
                self._end(generation, Reason.FAILED, first_line(error))
                slot.clear(self._model)

    def _run(self) -> None:
        """Run a token of each answer and parts of prompts; choose the tokens that follow."""
        self._step += 1
        chosen = self._parts()
        began = time.monotonic()
        try:
            scores = self._model.run([part for _, part in chosen])
        except ContextFull:
            self._fail([slot for slot, _ in chosen], "The context is full.")
            return
        except Exception as error:  # the backends' classes have no common base
            self._fail([slot for slot, _ in chosen], first_line(error))
            return
        self._learn(time.monotonic() - began, sum(len(part.tokens) for _, part in chosen))
        for (slot, part), found in zip(chosen, scores):
            slot.used = self._step
            slot.held += part.tokens
            del slot.pending[: len(part.tokens)]
            if part.scores:
                self._follow_alone(slot, found[-1])
            elif slot.generation is not None:
                self._events.append((slot.generation, AnswerProgress()))

    def _parts(self) -> List[Tuple[Slot, Part]]:
        room = self._model.facts.batch
        decoding = [slot for slot in self._slots if slot.is_decoding]
        parts = [(slot, Part(slot.number, slot.pending[:1])) for slot in decoding]
        room -= len(parts)
        step = _STEP_S if decoding else _ALONE_S
        fits = int(step / self._token_s) if self._token_s else 0
        room = min(room, max(_FEWEST, fits))
        waiting = [s for s in self._slots if s.generation is not None and not s.is_decoding]
        for slot in sorted(waiting, key=lambda slot: slot.generation.times.started):  # type: ignore[union-attr]
            if room <= 0:
                break
            tokens = slot.pending[:room]
            whole = len(tokens) == len(slot.pending)
            parts.append((slot, Part(slot.number, tokens, int(whole))))
            room -= len(tokens)
        return parts

    def _learn(self, seconds: float, tokens: int) -> None:
        """Learn from a run of many tokens how long one of them takes."""
        if tokens >= _FEWEST:
            each = seconds / tokens
            self._token_s += 0.3 * (each - self._token_s) if self._token_s else each

    def _follow_alone(self, slot: Slot, scores: np.ndarray) -> None:
        """Choose the next token of a slot; what fails there fails its request alone."""
        try:
            self._follow(slot, scores)
        except Exception as error:  # of a format, a sampler or a filter, by a client's settings
            _log.warning("an answer failed", exc_info=error)
            self._fail([slot], "The answer failed: " + first_line(error))

    def _follow(self, slot: Slot, scores: np.ndarray) -> None:
        """Choose the token after those that a slot holds."""
        generation, sampler = slot.generation, slot.sampler
        assert generation is not None
        assert sampler is not None
        request, model = generation.request, self._model
        constraint = request.constraint

        deadline = time.monotonic() + _CHOICE_S

        def admits(token: int) -> bool:
            assert constraint is not None
            if time.monotonic() > deadline:
                raise SlowFormat("Its format takes too long to follow; use a simpler schema.")
            if token in model.facts.ends:
                return constraint.is_complete
            piece = model.piece(token)
            return bool(piece) and constraint.admits(piece)

        choice = sampler.choose(scores, admits if constraint is not None else None)
        now = time.monotonic()
        first = generation.times.first or now
        generation.times = generation.times._replace(first=first, last=now)
        if choice is None:
            self._end(generation, Reason.FAILED, "No token may follow by the answer's format.")
            slot.free()
            return
        if request.trace is not None:
            request.trace.add(scores, choice.token)
        if request.ends and choice.token in model.facts.ends:
            generation.produced += 1
            self._finish(slot, generation, Reason.STOP)
            slot.free()
            return
        piece = model.piece(choice.token)
        if constraint is not None:
            constraint.add(piece)
        generation.produced += 1
        text = slot.text.add(piece)
        self._events.append((generation, AnswerProgress(text, choice)))
        self._stop_or_go_on(slot, generation, choice.token)

    def _stop_or_go_on(self, slot: Slot, generation: Generation, token: int) -> None:
        request = generation.request
        full = len(slot.held) + 1 > self._model.facts.context
        if slot.text.why_cut:
            self._end(generation, Reason.FILTERED, slot.text.why_cut)
        elif slot.text.stopped:
            self._end(generation, Reason.STOP)
        elif generation.produced >= request.most or full:
            self._finish(slot, generation, Reason.LENGTH)
        else:
            slot.pending = [token]
            return
        slot.free()

    def _finish(self, slot: Slot, generation: Generation, reason: Reason) -> None:
        """End an answer with the text that still waits, which a filter may cut."""
        text = slot.text.end(reason is Reason.STOP)
        cut = slot.text.why_cut
        self._end(generation, Reason.FILTERED if cut else reason, cut, text)

    def _fail(self, slots: Sequence[Slot], sentence: str) -> None:
        for slot in slots:
            if slot.generation is not None:
                self._end(slot.generation, Reason.FAILED, sentence)
            slot.clear(self._model)

    def _fail_all(self, error: BaseException) -> None:
        """Fail what waits and what is under way, after a failure of the thread itself."""
        with self._changed:
            waiting, self._queue = self._queue, deque()
        for generation in waiting:
            self._end(generation, Reason.FAILED, _FAILED)
        self._fail(self._slots, _FAILED)
        self._tell()

    def _end(self, generation: Generation, reason: Reason, error: str = "", text: str = "") -> None:
        generation.reason = reason
        self._events.append((generation, AnswerProgress(text, None, reason, error)))
