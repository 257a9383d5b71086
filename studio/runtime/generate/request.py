"""A request for an answer, and the progress of its generation."""

from __future__ import annotations

import enum
import time
from typing import Callable, NamedTuple, Optional, Protocol, Sequence, Tuple

from .conversation import Conversation
from .sampler import GREEDY, Choice, Sampling
from .score_trace import ScoreTrace


class Constraint(Protocol):
    """Rule for the bytes of an answer, such as that they are JSON."""

    @property
    def is_complete(self) -> bool:
        """Whether the answer may end here."""

    def admits(self, piece: bytes) -> bool:
        """Return whether these bytes may follow."""

    def add(self, piece: bytes) -> None:
        """Take bytes that ``admits`` admits."""


class TextFilter(Protocol):
    """A filter of an answer's text, which may cut it."""

    @property
    def why(self) -> str:
        """Why the answer was cut; empty while it was not."""

    def add(self, text: str) -> str:
        """Return the text that may be sent after more of the answer."""

    def end(self, whole: bool = True) -> str:
        """Return the text that may be sent at the end.

        Args:
            whole: The model ended the answer.
        """


class GenerationRequest(NamedTuple):
    """A request for an answer.

    Attributes:
        tokens: Of the prompt; at least one.
        most: Tokens of the answer at most.
        stops: Texts at which the answer ends; they are left out of it.
        constraint: Rule for the answer; None for none.
        ends: An end token ends the answer; benchmarks of a fixed length leave it out.
        conversation: What the client wants answered; None where it is not known.
        trace: Takes the scores of its first tokens; None where they are not wanted.
        filter: Passes the text of the answer on, or cuts it; None for none.
    """

    tokens: Sequence[int]
    most: int
    sampling: Sampling = GREEDY
    stops: Tuple[str, ...] = ()
    constraint: Optional[Constraint] = None
    ends: bool = True
    conversation: Optional[Conversation] = None
    trace: Optional[ScoreTrace] = None
    filter: Optional[TextFilter] = None


class Reason(enum.Enum):
    """Why an answer ended."""

    STOP = "stop"
    LENGTH = "length"
    FILTERED = "content_filter"
    CANCELLED = "cancelled"
    FAILED = "failed"


class AnswerProgress(NamedTuple):
    """What one token added to an answer.

    Attributes:
        text: Characters that are certain now; empty in the middle of one, and for a prompt of
            which a part was run.
        choice: The token; None for text that had to wait until the end.
        reason: Why the answer ended with this; None while it continues.
        error: One sentence, where it failed or was cut.
    """

    text: str = ""
    choice: Optional[Choice] = None
    reason: Optional[Reason] = None
    error: str = ""


Listener = Callable[[AnswerProgress], None]
"""Takes the progress of an answer, in the loop's thread; it returns at once and raises nothing."""


class Times(NamedTuple):
    """Moments of a generation by a monotonic clock, in seconds; 0 before they come."""

    submitted: float = 0.0
    started: float = 0.0
    first: float = 0.0
    last: float = 0.0


class Generation:
    """An answer that is waited for, generated, or done.

    Attributes:
        cancelled: It is not wanted any more; set from any thread.
        produced: Tokens of the answer so far.
        cached: Tokens of the prompt that a slot still held.
        reason: Why it ended; None before.
    """

    def __init__(self, request: GenerationRequest, listener: Listener) -> None:
        self.request = request
        self.listener = listener
        self.cancelled = False
        self.produced = 0
        self.cached = 0
        self.reason: Optional[Reason] = None
        self.times = Times(submitted=time.monotonic())
