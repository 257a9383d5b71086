"""Results of language models: texts, tasks, behaviour and answers, each with its interval."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class IntervalValue:
    """A figure with its 95 % confidence interval; None where too few samples give one."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class LanguageRuntime:
    """The program that ran a language model.

    Attributes:
        model: The variant, as ``MODEL:VARIANT``.
        backend: Title of the backend.
    """

    model: str
    backend: str
    version: str


@dataclass(frozen=True, slots=True)
class TextDivergence:
    """The distance of the next-token distributions from those of the reference.

    Attributes:
        kl: Mean Kullback-Leibler divergence of a token, in nats.
        same_top: Share of positions where both have the same most probable token.
    """

    kl: IntervalValue
    median: float
    p99: float
    maximum: float
    same_top: IntervalValue


@dataclass(frozen=True, slots=True)
class TextLikelihood:
    """The likelihood of the texts.

    Attributes:
        ratio: Perplexity over that of the reference.
    """

    perplexity: IntervalValue
    reference: IntervalValue | None = optional()
    ratio: IntervalValue | None = optional()


@dataclass(frozen=True, slots=True)
class DocumentScore:
    """The figures of one document.

    Attributes:
        tokens: All of its tokens.
        scored: How many of them were scored.
    """

    name: str
    tokens: int
    scored: int
    perplexity: float
    reference_perplexity: float | None = optional()
    kl: float | None = optional()
    same_top: float | None = optional()


@dataclass(frozen=True, slots=True)
class TokenProbabilities:
    """A token with the probability that each model gives to it."""

    token: str
    candidate: float
    reference: float


@dataclass(frozen=True, slots=True)
class WorstPosition:
    """A position where both models differ much.

    Attributes:
        index: Number of the token in its document, from 0.
        before: The text before it.
        token: The token that follows in the text.
        candidate: The most probable token of the model.
        reference: The most probable token of the reference.
    """

    document: str
    index: int
    kl: float
    before: str
    token: str
    candidate: TokenProbabilities
    reference: TokenProbabilities


@dataclass(frozen=True, slots=True)
class TextScore:
    """The figures of texts.

    Attributes:
        digest: SHA-256 of the texts.
        scored: Number of scored tokens.
        window: Tokens of a window.
        windows: Number of scored windows.
        of_windows: Number of windows of the whole texts.
        clusters: Number of units that the intervals resample.
        unit: ``documents`` or ``windows``.
        method: Method of the intervals, with its source.
    """

    digest: str
    scored: int
    window: int
    windows: int
    of_windows: int
    clusters: int
    unit: str
    method: str
    likelihood: TextLikelihood
    divergence: TextDivergence | None = optional()
    documents: tuple[DocumentScore, ...] = ()
    worst: tuple[WorstPosition, ...] = ()


@dataclass(frozen=True, slots=True)
class PairedChange:
    """The share of a model minus that of the reference, on the same items.

    Attributes:
        low, high: 95 % confidence interval of the difference.
        p: McNemar's two-sided mid-P value.
        better: Items that only the model has right.
        worse: Items that only the reference has right.
    """

    value: float
    low: float
    high: float
    p: float
    better: int
    worse: int


@dataclass(frozen=True, slots=True)
class FilterScore:
    """The share of correct items by one way to read the answers.

    Attributes:
        filter: ``strict`` and ``lenient`` for answers; ``likelihood`` and ``per byte`` for choices.
        chance: Share that guessing has on average; None where guessing does not apply.
    """

    filter: str
    items: int
    correct: int
    share: IntervalValue
    chance: float | None = optional()
    reference: IntervalValue | None = optional()
    change: PairedChange | None = optional()


@dataclass(frozen=True, slots=True)
class TaskItemScore:
    """The result of one item.

    Attributes:
        expected: The right answer, in short.
        correct: The filters that count the answer as right.
        reference_correct: The same of the reference's answer.
    """

    id: str
    kind: str
    expected: str
    answer: str
    correct: tuple[str, ...]
    reference_answer: str | None = optional()
    reference_correct: tuple[str, ...] = optional(())


@dataclass(frozen=True, slots=True)
class TaskSetScore:
    """The results of one task set.

    Attributes:
        digest: SHA-256 of its file.
    """

    name: str
    title: str
    version: str
    licence: str
    digest: str
    scores: tuple[FilterScore, ...]
    items: tuple[TaskItemScore, ...]


@dataclass(frozen=True, slots=True)
class AnswerBehaviour:
    """Style of the answers of a model, whatever they contain.

    Attributes:
        refusals: Share of answers that begin as refusals do, by patterns.
        tokens: Mean length in tokens.
        unfinished: Share of answers that were cut at the most tokens.
        repetition: Mean share of groups of four words that occurred before in the same answer.
        loops: Share of answers that end with the same words again and again.
    """

    answers: int
    refusals: IntervalValue
    tokens: IntervalValue
    unfinished: IntervalValue
    repetition: IntervalValue
    loops: IntervalValue


@dataclass(frozen=True, slots=True)
class AnswerSplit:
    """The first token at which two answers differ.

    Attributes:
        place: Number of equal tokens before.
        candidate: The token of the model.
        reference: The token of the reference.
    """

    place: int
    candidate: TokenProbabilities
    reference: TokenProbabilities


@dataclass(frozen=True, slots=True)
class AnswerPair:
    """The answers of both models to one prompt; without a split they are equal."""

    set: str
    id: str
    prompt: str
    answer: str
    reference: str | None = optional()
    split: AnswerSplit | None = optional()


@dataclass(frozen=True, slots=True)
class LanguageScore:
    """All figures of a language model, perhaps with those of a reference.

    Attributes:
        runtime: What ran the model.
        reference: What ran the reference; None without one.
        equal_answers: Share of prompts with the same answer by both.
    """

    runtime: LanguageRuntime
    reference: LanguageRuntime | None = optional()
    text: TextScore | None = optional()
    tasks: tuple[TaskSetScore, ...] = ()
    behaviour: AnswerBehaviour | None = optional()
    reference_behaviour: AnswerBehaviour | None = optional()
    equal_answers: IntervalValue | None = optional()
    answers: tuple[AnswerPair, ...] = ()
    notes: tuple[str, ...] = ()
