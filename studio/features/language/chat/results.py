"""Results of a chat: its messages, and the answer with its times."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass

SYSTEM, USER, ASSISTANT = "system", "user", "assistant"
LENGTH = "length"
"""The end of an answer at its most tokens."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message of a chat.

    Attributes:
        role: ``system``, ``user`` or ``assistant``.
    """

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class ChatParameters:
    """Parameters of a question that say more than how its tokens are drawn.

    Attributes:
        tokens: Most tokens of the answer.
        schema: File of the JSON Schema of the answer; empty for none.
    """

    temperature: float = 0.0
    tokens: int = 256
    system: str = ""
    schema: str = ""


@dataclass(frozen=True, slots=True)
class ChatTimes:
    """Times of an answer, as the one who waits for it sees them.

    Attributes:
        first_ms: From the request to the first token; None without one.
        tokens_per_s: Of the tokens after the first; None with fewer than two.
        total_ms: From the request to the end.
    """

    first_ms: float | None = None
    tokens_per_s: float | None = None
    total_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class ChatUpdate:
    """The text of an answer that arrived since the last update, sent while it is written.

    Attributes:
        text: New text.
        tokens: Texts of the new tokens; empty where the server does not name them.
        count: Tokens of the answer so far.
    """

    text: str
    tokens: tuple[str, ...]
    count: int
    times: ChatTimes


@dataclass(frozen=True, slots=True)
class ChatAnswer:
    """An answer of a language model.

    Attributes:
        tokens: Text of each token; empty where the server does not name them.
        end: ``stop`` or ``length``.
        prompt_tokens: Tokens of the whole conversation before the answer.
        cached_tokens: Those of them that the model still held from before.
        answer_tokens: Tokens of the answer, the one that ends it included.
    """

    text: str
    tokens: tuple[str, ...]
    end: str
    prompt_tokens: int
    cached_tokens: int
    answer_tokens: int
    times: ChatTimes

    def first_difference(self, other: ChatAnswer) -> int | None:
        """Return the place of the first token that differs from another answer's.

        None where the answers are the same, or one of them has tokens without names.
        """
        if not self.tokens or not other.tokens:
            return None
        pairs = zip(self.tokens, other.tokens, strict=False)
        differing = (place for place, (one, two) in enumerate(pairs) if one != two)
        shorter, longer = sorted((len(self.tokens), len(other.tokens)))
        return next(differing, shorter if shorter < longer else None)

    def span_of(self, token: int) -> tuple[int, int]:
        """Return the begin and the end of a token in the text; an empty span at its end."""
        before = len("".join(self.tokens[:token]))
        length = len("".join(self.tokens[token : token + 1]))
        # The parts of a character that has several tokens are not its length in the text.
        begin = min(before, len(self.text))
        return begin, min(begin + length, len(self.text))


@dataclass(frozen=True, slots=True)
class ChatResult:
    """A whole conversation with its last answer.

    Attributes:
        model: Name of the model, or as its server names it.
        target: Name of the target; empty for a model on this computer.
        backend: Backend with its version; empty for a target.
        messages: All messages, the answer last.
    """

    model: str
    target: str
    backend: str
    messages: tuple[ChatMessage, ...]
    answer: ChatAnswer
