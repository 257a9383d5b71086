"""Results of packaging and of signing, as the window, the command line and pipelines read them."""

from __future__ import annotations

from studio.documents.dataclass_json import optional
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """A finding of a plugin's check about the packaged model.

    Attributes:
        check: Identifier of the check.
        level: ``error`` or ``warning``.
    """

    check: str
    level: str
    code: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageResult:
    """A bundle that was made, or found because it has the same content.

    Attributes:
        bundle: Its folder.
        bytes: Size of its files and its manifest.
        image: Name of the container image; None for packaging alone.
        new: False when an earlier bundle has the same content.
        variant: Number of the packaged variant; None before the bundle is recorded.
        embedding: Tensor that drift detection reads; None without one.
        findings: None in results of studios without checks.
        outputs_draft: A first ``outputs.toml``; its path once the result is recorded.
        preprocess_draft: A first ``preprocess.toml``; its path once the result is recorded.
        signature: Signature of a bundle that lies elsewhere and may not be changed.
    """

    bundle: str
    digest: str
    bytes: int
    image: str | None = None
    name: str
    version: int
    counter: int
    new: bool
    variant: int | None = None
    embedding: str | None = None
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    findings: tuple[CheckFinding, ...] | None = optional()
    preprocess_draft: str = optional("")
    outputs_draft: str = optional("")
    signature: str = optional("")


@dataclass(frozen=True, slots=True)
class SignResult:
    """Signatures that were written for a bundle.

    Attributes:
        signature: Path of the SSH signature; None without an SSH key.
        openssf: Path of the OpenSSF signature; None without an OpenSSF key.
    """

    bundle: str
    digest: str
    signature: str | None = optional()
    openssf: str | None = optional()


@dataclass(frozen=True, slots=True)
class MeasuredMachine:
    """The machine of a profile."""

    cpu: str | None
    arch: str | None
    board: str | None


@dataclass(frozen=True, slots=True)
class MeasuredLatency:
    """Latency of the variant on one target with one number of threads.

    Attributes:
        run: Number of the profile.
        error: Standard error of the logarithm of the median.
        rows: Samples of one inference.
        bytes: Size of its inputs.
    """

    target: str
    run: int
    at: str
    version: str | None
    threads: int | None
    samples: int
    p50_ms: float
    p90_ms: float | None
    p99_ms: float | None
    error: float
    rows: int
    bytes: int
    machine: MeasuredMachine
    clock_mhz: float | None
    celsius: float | None


@dataclass(frozen=True, slots=True)
class LatencyFile:
    """The document ``latency.json`` of a bundle."""

    form: int
    profiles: tuple[MeasuredLatency, ...]
