"""Results of the deployment steps, as the window, the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.api import PlatformRelease, Resource
from studio.api.discovery import Candidate
from studio.documents.dataclass_json import JsonValue, keyed, optional, read_parts
from studio.lazy_dataclass import dataclass
from studio.packages.results import PackageResult


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that a deploy sends."""

    name: str
    bytes: int


@dataclass(frozen=True, slots=True)
class DeployStep:
    """A step of a deploy or of its plan.

    Attributes:
        state: ``checked``, ``warning``, ``blocked``, ``planned``; ``running``, ``done``,
            ``skipped`` or ``failed``.
        bytes: Bytes that go over the wire.
        command: The command that a plan would run on the target.
        files: The files that a plan would send; None for a step that sends none.
    """

    name: str
    state: str
    text: str = ""
    seconds: float = 0.0
    bytes: int = 0
    command: str = optional("")
    files: tuple[SentFile, ...] | None = optional()


@dataclass(frozen=True, slots=True)
class LogHead:
    """The length of a target's chained log, and the hash of its last entry."""

    entries: int
    head: str


@dataclass(frozen=True, slots=True)
class TrialTest:
    """The finding of one test in a trial.

    Attributes:
        events, of: Observations against the release, of all.
    """

    test: str
    says: str
    events: int = 0
    of: int = 0


@dataclass(frozen=True, slots=True)
class TrialEvidence:
    """The evidence at the end of a trial, or of a soak, which has no tests."""

    decision: str | None = None
    seconds: float | None = 0.0
    tests: tuple[TrialTest, ...] = ()


@dataclass(frozen=True, slots=True)
class DeployResult:
    """A release that was deployed, planned, or rolled back after its trial.

    A plan leaves out all fields after ``root``; the result of a machine leaves out the fields of a
    platform.

    Attributes:
        state: ``serving``, ``canary``, ``planned`` or ``failed``.
        possible: False when a check of the plan blocks it.
        soak: Evidence of the trial; an empty object without one.
        reason: Reason for an older release, or for the automatic rollback.
        tunnel: Command that forwards the endpoint of a board to this computer, if only the board
            reaches it.
        token_kept: Where the token of callers is stored on this computer.
        at: Start of the release; ``until``: end of a release that failed its trial.
        facts: Facts of the release from the platform.
        documents: Documents for the platform by file name, in a plan.
        cost_per_hour: None if the platform reports no price; an empty text on machines.
        packaged: The bundle packaged during the step.
    """

    target: str
    release: str
    version: int
    name: str
    precision: str
    state: str
    possible: bool = True
    bytes_sent: int = 0
    bytes_to_send: int = 0
    bytes_total: int = 0
    seconds: float = 0.0
    endpoint: str = ""
    steps: tuple[DeployStep, ...] = ()
    by: str = ""
    root: str = ""
    soak: Mapping[str, JsonValue] | None = optional()
    facts: Mapping[str, JsonValue] | None = optional()
    documents: Mapping[str, str] | None = optional()
    cost_per_hour: float | str | None = optional("")
    currency: str | None = optional()
    cost_note: str | None = optional()
    reason: str | None = optional()
    token_kept: str | None = optional()
    log: LogHead | None = optional()
    at: str | None = optional()
    certificate_file: str | None = optional()
    host: str | None = optional()
    port: int | None = optional()
    pid: int | None = optional()
    scheme: str | None = optional()
    fingerprint: str | None = optional()
    token_required: bool | None = optional()
    hint: str = optional("")
    until: str = optional("")
    because: str = optional("")
    packaged: PackageResult | None = optional()
    tunnel: str = optional("")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchResult:
    """A rollback, or the promotion of a canary.

    Attributes:
        left_version: The previously active version; None without one.
        left: Its release.
        endpoint: Address of the release on a platform.
    """

    target: str
    left_version: int | None = keyed("from")
    to: int | None
    release: str
    name: str
    endpoint: str | None = optional()
    left: str = ""
    switch_seconds: float = 0.0
    seconds: float = 0.0
    by: str = ""
    at: str | None = optional()
    log: LogHead | None = optional()
    because: str = optional("")


@dataclass(frozen=True, slots=True)
class UndeployResult:
    """A release that was stopped.

    Attributes:
        freed: Bytes that a purge freed on a machine.
        kept: Releases whose files a purge did not delete.
        release: The stopped release; empty without one.
        left: Resources that a purge left on a platform.
    """

    target: str
    by: str
    at: str | None = optional()
    freed: int | None = optional()
    kept: tuple[str, ...] | None = optional()
    log: LogHead | None = optional()
    release: str = ""
    stopped: bool | None = optional()
    purged: bool | None = optional()
    left: tuple[Resource, ...] | None = optional()


@dataclass(frozen=True, slots=True)
class MachineRelease:
    """A release in the record of a machine.

    Attributes:
        version: None if the record does not contain it.
        kept: Whether its files are still there.
        endpoint, scheme: Address of the current release; else empty.
    """

    version: int | None
    release: str
    name: str
    state: str
    at: str
    by: str
    reason: str
    kept: bool
    endpoint: str = ""
    scheme: str = ""


@dataclass(frozen=True, slots=True)
class ReleasesResult:
    """The releases of a target, the newest first.

    Attributes:
        state, endpoint, scheme, text: State of a machine's server, as in ``Liveness``.
    """

    target: str
    current: str
    state: str | None = optional()
    endpoint: str | None = optional()
    scheme: str | None = optional()
    text: str | None = optional()
    releases: tuple[MachineRelease | PlatformRelease, ...] = ()


@dataclass(frozen=True, slots=True)
class LogsResult:
    """The last lines that a server logged, the oldest first."""

    target: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResourcesResult:
    """The resources on a target that the studio created."""

    target: str
    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class ServerResult:
    """The server of a target after a start, a stop or a restart.

    Attributes:
        service: The service manager that keeps the server running.
    """

    target: str
    state: str
    endpoint: str
    scheme: str
    by: str
    release: str
    version: int | None = optional()
    name: str | None = optional()
    service: Mapping[str, JsonValue] | None = optional()


@dataclass(frozen=True, slots=True)
class TrustResult:
    """The allowed signers of a target; empty if it accepts unsigned releases."""

    target: str
    signers: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class VerifyLogResult:
    """A check of a target's release history.

    Attributes:
        problem: The first problem in one sentence; empty without one.
        entries: Number of all entries, including the ``dropped`` old ones.
        head: Hash of the last entry.
        anchors: Number of earlier reads by this computer that match.
        registry_entries: Entries of the registry's own chain.
        changes: The entries, the newest first.
    """

    target: str
    whole: bool
    problem: str
    entries: int
    dropped: int
    head: str
    anchors: int
    registry_entries: int
    changes: tuple[Mapping[str, JsonValue], ...]


@dataclass(frozen=True, slots=True)
class FindProblem:
    """A search method for targets that failed."""

    way: str
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class FindResult:
    """The targets found, and the search methods that failed."""

    found: tuple[Candidate, ...]
    problems: tuple[FindProblem, ...]


@dataclass(frozen=True, slots=True)
class AllowedKey:
    """A key whose signature a target accepts.

    Attributes:
        limits: Restrictions that stand before the key in the file.
        since, by: When and by whom it was added; empty if the target's record lacks it.
    """

    name: str
    kind: str
    fingerprint: str
    limits: str
    since: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class AllowedSigners:
    """The allowed signers of a target's releases.

    Attributes:
        file: The target's file of signers; empty if it accepts unsigned releases.
        fixed: Whether only the target's administrator can change it.
        changed, by: The last recorded change.
    """

    file: str = ""
    fixed: bool = False
    keys: tuple[AllowedKey, ...] = ()
    changed: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class BoardCondition:
    """Facts of a machine that may need maintenance.

    Attributes:
        notes: Conditions that make its measurements unreliable.
    """

    disk_free_mb: float | None = None
    disk_total_mb: float | None = None
    temperature_c: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """The state of one target.

    Attributes:
        state: Of its endpoint, or ``no answer``.
        text: The problem; empty without one.
        facts: Facts of a machine; empty for a platform or an unreachable machine.
        signers: Allowed signers of a machine.
        name, version, release, at, by: The current release; None without one, and an empty text
            if the target was unreachable.
    """

    target: str
    state: str
    endpoint: str = ""
    scheme: str = ""
    text: str = ""
    facts: Mapping[str, JsonValue] = field(default_factory=dict)
    signers: AllowedSigners | None = optional()
    name: str | None = optional("")
    version: int | str | None = optional("")
    release: str | None = optional("")
    at: str | None = optional("")
    by: str | None = optional("")
    seconds: float = 0.0

    @property
    def condition(self) -> BoardCondition:
        """The condition of the machine's disk and processor, from its facts."""
        return read_parts(BoardCondition, self.facts)


@dataclass(frozen=True, slots=True)
class StatusResult:
    """The states of several targets, and the number of active releases."""

    targets: tuple[TargetStatus, ...]
    serving: int = 0
