"""Results of the deployment steps, as the window, the command line and pipelines read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studio.api import PlatformRelease, Resource
from studio.api.discovery import Candidate
from studio.documents.dataclass_json import JsonValue, keyed, optional, read_parts
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
    """The finding of one test of a trial."""

    test: str
    says: str


@dataclass(frozen=True, slots=True)
class TrialEvidence:
    """The end of a trial, or of a soak without one, which has no tests."""

    decision: str | None = None
    seconds: float | None = 0.0
    tests: tuple[TrialTest, ...] = ()


@dataclass(frozen=True, slots=True)
class DeployResult:
    """A release that was deployed, planned, or taken back on trial.

    What stands below ``root`` is left out of a plan; what only a platform tells is left out of
    the result of a machine.

    Attributes:
        state: ``serving``, ``canary``, ``planned`` or ``failed``.
        possible: False when a check of the plan blocks it.
        soak: Evidence of the trial; an empty object where there was none.
        reason: Why an older release was wanted, or why the release was taken back.
        token_kept: Where the token of callers is stored on this computer.
        at: When it began to serve; ``until``: when a release on trial ended.
        facts: What a platform tells of the release.
        documents: What would be sent to a platform, by file name.
        cost_per_hour: None where a platform cannot tell it; an empty text on machines.
        packaged: The bundle that was made on the way.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchResult:
    """A rollback, or a canary that was promoted.

    Attributes:
        left_version: The version that served before; None where none did.
        left: Its release.
        endpoint: Where a platform answers now.
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
        kept: Releases whose files a purge has left there.
        release: The release that was served; empty where none was.
        left: What a purge has left at a platform.
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
        version: None where the record does not tell it.
        kept: Whether its files are still there.
        endpoint, scheme: Where it answers; empty unless it is the current one.
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
        state, endpoint, scheme, text: How the server of a machine is, as ``Liveness`` tells it.
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
    """Everything that exists on a target because the studio made it."""

    target: str
    resources: tuple[Resource, ...]


@dataclass(frozen=True, slots=True)
class ServerResult:
    """The server of a target after a start, a stop or a restart.

    Attributes:
        service: What keeps it running.
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
    """The names of the signers whose releases a target takes; none: it takes everybody's."""

    target: str
    signers: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class VerifyLogResult:
    """A check of a target's release history.

    Attributes:
        problem: What is wrong, in one sentence; empty where nothing is.
        entries: Entries that the history ever had, ``dropped`` of them in time.
        head: Hash of the last entry.
        anchors: Earlier reads by this computer that it agrees with.
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
    """A way of finding targets that did not work."""

    way: str
    text: str
    hint: str


@dataclass(frozen=True, slots=True)
class FindResult:
    """Targets that were found, and the ways of finding that did not work."""

    found: tuple[Candidate, ...]
    problems: tuple[FindProblem, ...]


@dataclass(frozen=True, slots=True)
class AllowedKey:
    """A key whose signature a target accepts.

    Attributes:
        limits: Restrictions that stand before the key in the file.
        since, by: When it was added, and by whom; empty where the target's record does not tell.
    """

    name: str
    kind: str
    fingerprint: str
    limits: str
    since: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class AllowedSigners:
    """Whose releases a target accepts.

    Attributes:
        file: Where the target says it; empty where it accepts everybody's.
        fixed: Whether only its administrator can change it.
        changed, by: The last change that the target knows of.
    """

    file: str = ""
    fixed: bool = False
    keys: tuple[AllowedKey, ...] = ()
    changed: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class BoardCondition:
    """The facts of a machine that somebody may have to see to.

    Attributes:
        notes: What makes its figures doubtful.
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
        text: What is wrong; empty where nothing is.
        facts: Facts of a machine; empty for a platform, and without an answer.
        signers: Whose releases a machine accepts.
        name, version, release, at, by: The current release: None where none is, and an empty
            text where nothing answered.
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
        """What its facts say of its disk and its temperature."""
        return read_parts(BoardCondition, self.facts)


@dataclass(frozen=True, slots=True)
class StatusResult:
    """The state of several targets, and how many of them serve."""

    targets: tuple[TargetStatus, ...]
    serving: int = 0
