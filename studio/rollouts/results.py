"""The result of a rollout, as the window, the command line and pipelines read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.documents.dataclass_json import JsonValue
from studio.packages.results import PackageResult

KEPT = "kept"
BEGINNINGS = ("waiting", "deploying", "judging")
FAILURES = ("taken back", "failed")


@dataclass(frozen=True, slots=True)
class RequestStats:
    """Requests that were sent to one target, and how they were answered.

    Attributes:
        p50_ms, p99_ms: Latency as the studio sees it; 0 where nothing was answered.
    """

    requests: int
    errors: int
    p50_ms: float = 0.0
    p99_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class TargetOutcome:
    """The state of one target of a rollout.

    Attributes:
        state: ``waiting``, ``deploying``, ``judging``; then ``kept``, ``taken back``, ``failed``
            or ``not begun``.
        before, now: Figures of the release before and of the new one.
        served: The previous release, to which a rollback returns, also when the rollout was cut
            off after the switch. Empty without one; None while it is not known.
        agreement: Share of the samples to which both releases gave the same answer.
        trial: What the quality trial found (as ``soak`` of a deploy), or ``why_not``: the target
            can hold none. Empty without a trial.
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
    """The state of a target with what the registry has yet to record.

    Attributes:
        result: Result of the deploy; empty before it ended.
        undone: Result of the rollback or the removal; empty where nothing was undone.
    """

    result: Mapping[str, JsonValue] = field(default_factory=dict)
    undone: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def outcome(self) -> TargetOutcome:
        """The state alone, as it is printed and shown."""
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
    """A rollout that ended.

    Attributes:
        state: ``done`` or ``halted``.
        rollout: Its name, by which it is resumed.
        release: Digest of the bundle.
        kept: Number of targets that kept the release.
    """

    state: str
    rollout: str
    name: str
    version: int
    release: str
    targets: tuple[TargetOutcome, ...]
    kept: int
    seconds: float

    @property
    def is_done(self) -> bool:
        """Whether no gate halted it."""
        return self.state == "done"


@dataclass(frozen=True, slots=True)
class RolloutWork:
    """What the work of a rollout gives to its record.

    Attributes:
        packaged: What the packaging of a model made; None for a bundle that was given.
    """

    result: RolloutResult
    rows: tuple[TargetRow, ...]
    packaged: PackageResult | None


@dataclass(frozen=True, slots=True)
class RolloutMessage:
    """The targets at the beginning, or one target that changed (message ``rollout``)."""

    targets: tuple[TargetOutcome, ...] = ()
    target: TargetOutcome | None = None

    @property
    def changed(self) -> tuple[TargetOutcome, ...]:
        """All targets of the message."""
        return self.targets if self.target is None else (self.target,)
