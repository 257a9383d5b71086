"""The result of a rollout, for the window, the command line and pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.documents.dataclass_json import JsonValue
from studio.lazy_dataclass import dataclass
from studio.packages.results import PackageResult

KEPT = "kept"
PLANNED = "planned"
LEFT = "not begun"
BEGINNINGS = ("waiting", "deploying", "judging")
FAILURES = ("taken back", "failed")


@dataclass(frozen=True, slots=True)
class RequestStats:
    """The statistics of requests to one target.

    Attributes:
        p50_ms, p99_ms: Latency measured by the studio; 0 without answers.
    """

    requests: int
    errors: int
    p50_ms: float = 0.0
    p99_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TargetOutcome:
    """The state of one target of a rollout.

    Attributes:
        state: ``waiting``, ``deploying``, ``judging``, then ``kept``, ``taken back``, ``failed``
            or ``not begun``. In a plan it is ``planned``.
        before, now: Statistics of the previous release and of the new one.
        served: The previous release, to which a rollback returns, also when the rollout was
            interrupted after the switch. Empty without one; None while it is unknown.
        agreement: Share of the samples with equal answers from both releases.
        trial: The evidence of the trial (as ``soak`` of a deploy), or ``why_not``: the reason that
            the target supports none. Empty without a trial.
    """

    target: str
    wave: int
    state: str = "waiting"
    text: str = ""
    seconds: float = 0.0
    before: RequestStats | None = None
    now: RequestStats | None = None
    served: str | None = None
    agreement: float | None = None
    trial: Mapping[str, JsonValue] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TargetRow(TargetOutcome):
    """The state of a target with the results to record.

    Attributes:
        result: Result of the deploy; empty before it ended.
        undone: Result of the rollback or the removal; empty without one.
    """

    result: Mapping[str, JsonValue] = field(default_factory=dict)
    undone: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def outcome(self) -> TargetOutcome:
        """The state alone, for output and display."""
        return TargetOutcome(
            self.target,
            self.wave,
            self.state,
            self.text,
            self.seconds,
            self.before,
            self.now,
            self.served,
            self.agreement,
            self.trial,
        )


@dataclass(frozen=True, slots=True)
class RolloutResult:
    """The result of a finished rollout.

    Attributes:
        state: ``done``, ``halted`` or ``planned``.
        rollout: Its name, for a resumed rollout; empty for a plan.
        release: Digest of the bundle.
        kept: Number of targets that kept the release.
        notes: Limits of a plan, a sentence each.
    """

    state: str
    rollout: str
    name: str
    version: int
    release: str
    targets: tuple[TargetOutcome, ...]
    kept: int
    seconds: float
    notes: tuple[str, ...] = ()

    @property
    def is_done(self) -> bool:
        """Whether the rollout completed without being halted, or is a plan."""
        return self.state in ("done", PLANNED)


@dataclass(frozen=True, slots=True)
class RolloutWork:
    """The outcome of a rollout's work, before it is recorded.

    Attributes:
        packaged: Result of packaging a model; None for a given bundle.
    """

    result: RolloutResult
    rows: tuple[TargetRow, ...]
    packaged: PackageResult | None


@dataclass(frozen=True, slots=True)
class RolloutMessage:
    """The targets at the start, or one changed target (message ``rollout``)."""

    targets: tuple[TargetOutcome, ...] = ()
    target: TargetOutcome | None = None

    @property
    def changed(self) -> tuple[TargetOutcome, ...]:
        """All targets of the message."""
        return self.targets if self.target is None else (self.target,)
