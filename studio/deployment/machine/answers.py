"""Answers of the release machine of a target, read from its lines of JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field

from studio.deployment.results import LogHead
from studio.documents.dataclass_json import JsonValue, keyed
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class StatusAnswer:
    """Digest of the runtime on the target."""

    runtime: str


@dataclass(frozen=True, slots=True)
class BeginAnswer:
    """The start of a deploy.

    Attributes:
        token: Shown by all later commands of this deploy.
        current: Release that is served now; empty where none is.
        signed_only: Whether the target takes signed releases alone.
    """

    token: str
    current: str
    signed_only: bool = False


@dataclass(frozen=True, slots=True)
class PartialFile:
    """The beginning of a file that an interrupted transfer left on the target."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class MissingMessage:
    """The files that a release lacks on the target: digest and bytes of each."""

    missing: Mapping[str, int]
    partial: Mapping[str, PartialFile]


@dataclass(frozen=True, slots=True)
class ProgressMessage:
    """The progress of a verb."""

    done: float = 0
    total: float = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class InstallAnswer:
    """The environment of a release: its versions, and whether it was newly installed."""

    installed: bool
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageAnswer:
    """A release installed on the target, and its signer."""

    version: int
    name: str
    signer: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """The golden samples of a release, answered on the target.

    Attributes:
        probe_s: Duration of the whole probe; 0 from an older runtime, which does not report it.
        providers: Execution providers that compute the model.
        fallback: Why not the wanted providers compute; empty where they do.
    """

    samples: int
    max_error: float
    latency_ms: float
    backend: str
    version: str
    probe_s: float | None = 0.0
    providers: tuple[str, ...] = ()
    fallback: str = ""


@dataclass(frozen=True, slots=True)
class CertifyAnswer:
    """A certificate for the next switch.

    Attributes:
        made: ``kept``, ``here`` or ``given``; empty where the target cannot make one.
    """

    made: str
    fingerprint: str
    certificate: str


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """The service manager that keeps the server running.

    Attributes:
        enabled: Whether a service manager restarts the server.
        boot: Whether it also does so after a reboot of the target.
    """

    manager: str = ""
    enabled: bool = False
    boot: bool = True


@dataclass(frozen=True, slots=True)
class SwitchAnswer:
    """The release that is served after a switch.

    Attributes:
        state: ``active``, or ``unchanged`` if the release was active before.
        secret: A new token; empty unless one was made or given.
    """

    state: str
    host: str
    port: int
    pid: int
    scheme: str
    fingerprint: str
    token_required: bool
    log: LogHead
    service: ServiceFacts = ServiceFacts()
    soak: Mapping[str, JsonValue] = field(default_factory=dict)
    reason: str | None = ""
    secret: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackAnswer:
    """The release that is active after a rollback."""

    left_version: int = keyed("from")
    to: int
    release: str
    name: str
    left: str
    seconds: float
    log: LogHead


@dataclass(frozen=True, slots=True)
class RemoveAnswer:
    """The release that a removal stopped, and the files that a purge freed."""

    stopped: bool = False
    release: str = ""
    log: LogHead | None = None
    freed: int | None = None
    kept: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class StartAnswer:
    """The release whose server was started; empty after a stop."""

    version: int | None = None
    name: str | None = None
    service: Mapping[str, JsonValue] | None = None


@dataclass(frozen=True, slots=True)
class CleanupAnswer:
    """The number of bytes that a cleanup freed."""

    freed: int


@dataclass(frozen=True, slots=True)
class LogAnswer:
    """The chained log, the oldest entry first."""

    entries: tuple[Mapping[str, JsonValue], ...]


@dataclass(frozen=True, slots=True)
class TrustAnswer:
    """The names of the signers accepted after a change."""

    signers: tuple[str, ...]
