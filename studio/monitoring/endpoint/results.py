"""Results that a server reports about itself, and the result of a call.

Servers of earlier versions report less, so each field has a default; an unknown value is false in
a condition.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import field
from typing import TypeVar

from studio.documents.dataclass_json import JsonValue, optional
from studio.lazy_dataclass import dataclass
from studio.runtime.backends.providers import BY_ID


class _Absent(enum.Enum):
    """The default of a field that may be null in a document, but is left out if it is absent."""

    ABSENT = 0

    def __bool__(self) -> bool:
        return False


ABSENT = _Absent.ABSENT
T = TypeVar("T")


def known(value: T | None) -> T | None:
    """Return a value of a result; None if it is absent."""
    return None if value is ABSENT else value


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Percentiles of a latency in milliseconds; None without answered requests."""

    p50: float | None = None
    p90: float | None = None
    p99: float | None = None


@dataclass(frozen=True, slots=True)
class Latency(Percentiles):
    """Percentiles over the last minute, with the number of requests."""

    count: int | None = None


@dataclass(frozen=True, slots=True)
class GuardCount:
    """Texts that broke a guard rule since the server has started.

    Attributes:
        on: ``prompts``, ``answers`` or ``both``.
        action: ``refuse`` or ``count``.
    """

    name: str = ""
    on: str = ""
    action: str = ""
    prompts: int = 0
    answers: int = 0


@dataclass(frozen=True, slots=True)
class GenerationState:
    """A language model as its server reports it.

    Attributes:
        tokens_per_s: Tokens of all answers together, over the last minute; None from a runtime
            that does not report it.
        first_token_ms: From a request to its first token, over the last minute.
        token_ms: Between two tokens of an answer, over the last minute.
        active, waiting: Requests that are answered, and that wait for a slot.
        held_tokens, room_tokens: Tokens in the caches of all slots, and room for them.
        ends: Number of answers by the reason of their end.
    """

    context: int = 0
    slots: int = 0
    active: int = 0
    waiting: int = 0
    held_tokens: int = 0
    room_tokens: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    answer_tokens: int = 0
    tokens_per_s: float | None = None
    first_token_ms: Percentiles = Percentiles()
    token_ms: Percentiles = Percentiles()
    ends: Mapping[str, int] = field(default_factory=dict)
    guard: tuple[GuardCount, ...] | None = optional()

    @property
    def cache_share(self) -> float | None:
        """Share of the caches that is filled, from 0 to 1."""
        return self.held_tokens / self.room_tokens if self.room_tokens else None

    @property
    def prompt_share(self) -> float | None:
        """Share of the prompts' tokens that a cache still had, from 0 to 1."""
        return self.cached_tokens / self.prompt_tokens if self.prompt_tokens else None


@dataclass(frozen=True, slots=True)
class SpeedReport:
    """Time in the model against its profile, or against the server's start.

    Attributes:
        of: ``profile`` or ``start``; None without a baseline.
        ratio, low, high: Ratio to the baseline with its 95 % interval.
        verdict: ``slower``, ``as measured``, ``faster``, ``undecided``, or empty.
        note: Reason for a baseline other than a profile.
        text: The verdict in a sentence.
    """

    of: str | None = None
    quantile: str = ""
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: str = ""
    cause: str = ""
    causes: tuple[Mapping[str, str], ...] = ()
    queue_ms: float | None = None
    note: str = ""
    baseline_ms: float | None = optional()
    profile: Mapping[str, JsonValue] | None = optional()
    rows: float | None = optional()
    now_ms: float | None = optional()
    text: str = ""


@dataclass(frozen=True, slots=True)
class BoardReport:
    """Clock, temperature and load of a board over the last minute.

    Attributes:
        throttled: Reasons for a reduced clock.
        others: Number of processors that other programs use.
        stolen: Share of the processor time that a hypervisor takes.
    """

    throttled: tuple[str, ...] = ()
    clock_mhz: float | None = None
    most_mhz: float | None = None
    celsius: float | None = None
    others: float | None = None
    stolen: float | None = None


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Resources of a target that run out: its certificate and its disk.

    Attributes:
        certificate_until: End of the certificate, in seconds since 1970.
    """

    certificate_until: float | None = None
    certificate_days: float | None = None
    disk_free_mb: float | None = None
    disk_total_mb: float | None = None


@dataclass(frozen=True, slots=True)
class NodePlacement:
    """The execution providers that were wanted for a model, and those that compute it.

    Attributes:
        nodes: Nodes by provider; empty where ONNX Runtime does not know.
        missing: Reasons by the providers that do not work on the target.
        fallback: Why not the wanted provider computes; empty where it does.
    """

    wanted: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    nodes: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, str] = field(default_factory=dict)
    fallback: str = ""


def provider_title(name: str) -> str:
    """Return the name of an execution provider for people: ``TensorRT``."""
    known = BY_ID.get(name)
    return name if known is None else known.title


@dataclass(frozen=True, slots=True)
class StoredRequests:
    """Uncertain requests stored on a target, and their limits."""

    kept: int = 0
    bytes: float = 0
    most: int = 0
    most_bytes: float = 0
    looked: int | None = optional()
    kind: str | None = optional()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class ShadowDrift:
    """Drift of the answers of the previous release."""

    windows: int = 0
    differing: int = 0
    alarm: bool = False
    causes: tuple[str, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Agreement:
    """The agreement of the previous release with the current one, with a 95 % interval.

    Attributes:
        trial: Whether both are also timed, for a rollout.
        ratio: Time of the new release relative to the previous one.
        answers, diverging: Of a language model: written answers whose tokens both releases have
            scored, and those that diverge.
        divergence: Mean KL divergence from the previous release, in nats of a token.
        same_top: Share of the tokens that both prefer.
    """

    release: str = ""
    trial: bool | None = optional()
    loaded: bool | None = optional()
    low: float | None = optional()
    high: float | None = optional()
    compared: int = 0
    agreed: int = 0
    repeated: int | None = optional()
    timed: int | None = optional()
    slower: int | None = optional()
    ratio: float | None = optional(ABSENT)
    fault: str = ""
    drift: ShadowDrift | None = optional(ABSENT)
    answers: int | None = optional()
    diverging: int | None = optional()
    divergence: float | None = optional()
    same_top: float | None = optional()


@dataclass(frozen=True, slots=True)
class LiveLabels:
    """Accuracy by labels that arrived after the answers; all fields absent without labels."""

    accuracy: float | None = optional(ABSENT)
    low: float | None = optional()
    high: float | None = optional()
    matched: int | None = optional()
    unmatched: int | None = optional()
    waiting: int | None = optional()
    uncertain: int | None = optional()
    uncertain_right: int | None = optional()
    note: str | None = optional()


@dataclass(frozen=True, slots=True)
class AccuracyEstimate:
    """Accuracy estimated without labels, or why there is no estimate.

    Attributes:
        frames: Number of requests of the estimate.
        reference: Accuracy on the reference data.
    """

    accuracy: float | None = None
    low: float | None = None
    high: float | None = None
    frames: int = 0
    reference: float | None = optional()
    why: str = ""


@dataclass(frozen=True, slots=True)
class DriftSignal:
    """One signal of the drift watch.

    Attributes:
        statistic: Chi-square of the last window; None before the first.
        edges: Upper edges of all bins but the last.
        reference, recent: Requests in each bin.
        beyond: Recent windows above the limit; None from a runtime that does not count them.
        together: Whether all recent windows together exceed the limit.
        labels: Names of the bins, where they are no ranges.
        drifts: Whether the signal is a cause of the alarm.
        why: The explanation of its state in a sentence.
    """

    name: str = ""
    statistic: float | None = None
    limit: float = 0.0
    edges: tuple[float, ...] = ()
    reference: tuple[float, ...] = ()
    recent: tuple[float, ...] = ()
    beyond: int | None = optional()
    together: bool | None = optional()
    labels: tuple[str, ...] | None = optional()
    drifts: bool = False
    why: str = ""

    @property
    def is_over(self) -> bool:
        """Whether the last window is above the limit."""
        return self.statistic is not None and self.statistic > self.limit


@dataclass(frozen=True, slots=True)
class DriftState:
    """The state of all signals; all fields absent if no drift is watched.

    Attributes:
        window: Number of requests in a window.
        differing: Number of windows that differed so far.
        stride: Number of requests for each one that is sampled.
        causes: Names of the signals that raise the alarm.
        last: Whether each of the recent windows differed.
        learns: Number of requests that become the reference; None once they are there.
        unwatched: Inputs, outputs and columns without a signal, each with the reason.
        stuck: Columns that repeat one value.
    """

    alarm: bool | None = optional()
    alarms: int | None = optional()
    windows: int | None = optional()
    window: int | None = optional()
    differing: int | None = optional()
    frames: int | None = optional()
    stride: int | None = optional()
    fault: str | None = optional()
    causes: tuple[str, ...] | None = optional()
    last: tuple[bool, ...] | None = optional()
    learns: int | None = optional()
    unwatched: tuple[str, ...] = optional(())
    stuck: tuple[str, ...] = optional(())
    estimate: AccuracyEstimate | None = optional(ABSENT)
    why: str = optional("")


@dataclass(frozen=True, slots=True)
class FetchedRequests:
    """Uncertain requests that were fetched into a folder, or deleted on the target."""

    folder: str = optional("")
    fetched: int | None = optional()
    damaged: int | None = optional()
    deleted: int | None = optional()


@dataclass(frozen=True, slots=True)
class CallResult:
    """Requests with their answers, or a program that sends one.

    Attributes:
        failures: Number of failures by message.
        code: The program; the fields before it are its address and its model.
    """

    target: str
    model: str
    version: str
    requests: int = optional(0)
    answered: int = optional(0)
    failed: int | None = optional()
    failures: Mapping[str, int] | None = optional()
    seconds: float = optional(0.0)
    latency_ms: Percentiles | None = optional()
    language: str | None = optional()
    endpoint: str | None = optional()
    certificate: str | None = optional()
    token: str | None = optional()
    code: str | None = optional()


@dataclass(frozen=True, slots=True)
class RecordedOverride:
    """The decision of a person that a target has recorded.

    Attributes:
        request: Id of the answer that it replaces.
        entry: Number of its entry in the record.
    """

    target: str
    model: str
    request: str
    decision: str
    by: str
    entry: int
