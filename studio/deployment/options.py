"""Options of the deployment steps; a deployment shares the base classes with a rollout.

The bases have no slots: a class of several of them could not have any. All fields are given by
name, so that their order is that of the form alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from studio.api import Kind, TargetSpec
from studio.jobs.options_form import form, option
from studio.packages.step import SIGN_WITH, Numbering, PackageOptions
from studio.registry import ModelRef

LOOPBACK, NETWORK = "loopback", "network"
SAMPLES_MB = 64.0
_TARGET_HELP = "Target name, or TARGET/NAME for one endpoint (default: this computer)."


@dataclass(frozen=True, kw_only=True)
class TargetOptions:
    """The target of a step."""

    target: TargetSpec = option("local", kind=Kind.TARGET, help=_TARGET_HELP)


@dataclass(frozen=True, kw_only=True)
class PlaceOptions:
    """The model's endpoint: the target and the place of its files."""

    model: ModelRef | None = option(
        None, kind=Kind.MODEL, positional=True, help="Model or bundle folder."
    )
    target: TargetSpec = option("local", kind=Kind.TARGET, help=_TARGET_HELP)
    endpoint: str | None = option(
        None,
        placeholder="beside the model that is served",
        help="Serve beside what the target serves already, under this name: the endpoint is then "
        "called TARGET/NAME.",
        advanced=True,
    )
    replace: bool = option(
        False,
        title="Replace another model",
        help="Serve the model in the place of another one. Versions and variants of the model that "
        "is served are replaced without it.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class BundleOptions:
    """The bundle, or the model and the options of packaging it."""

    bundle: Path | None = option(
        None, kind=Kind.FOLDER, help="Bundle folder, instead of a model.", advanced=True
    )
    dry_run: bool = option(False, title="Plan only", help="Change nothing.")
    data: Path | None = option(
        None,
        kind=Kind.DATA,
        title="Golden samples",
        help="Golden samples for the bundle (see studio package).",
        project=("calibration",),
    )
    labels: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Class names, one per line (see studio package).",
        advanced=True,
        project=("labels",),
    )
    preprocess: Path | None = option(
        None,
        kind=Kind.FILE,
        help="Input preprocessing, a preprocess.toml (see studio package).",
        advanced=True,
        project=("preprocess",),
    )
    embedding: str | None = option(
        None,
        title="Embedding for drift",
        help="Tensor for embedding drift: auto or a tensor name (default: off). Needs golden "
        "samples.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class AccessOptions:
    """Access to the endpoint, and the address on which it listens."""

    expose: Literal["loopback", "network"] | None = option(
        None,
        choice_titles=("localhost only", "network"),
        title="Expose",
        help="Processes on the target alone, or everybody on its network; by default as it was "
        "there, and the target alone at first.",
    )
    token: Literal["none", "generate", "given"] | None = option(
        None,
        choice_titles=("no token", "generate on target", "from file"),
        title="Token",
        help="What callers must send: one that the target makes (each time a new one), or yours, "
        "from --token-file or $EDGEWRIGHT_TOKEN; by default as it was there, and none at first.",
    )
    token_file: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Token file",
        help="File that holds your token in one line; a token is never given as an argument.",
        advanced=True,
    )
    tls: Literal["none", "self-signed", "given"] | None = option(
        None,
        choice_titles=("plain HTTP", "its own certificate", "a certificate of yours"),
        title="TLS",
        help="Encrypt, with a certificate that the target makes and the studio pins, or with "
        "yours from --cert and --key; by default as it was there, and plain HTTP at first.",
    )
    cert: Path | None = option(
        None, kind=Kind.FILE, title="Certificate", help="Your chain (PEM).", advanced=True
    )
    key: Path | None = option(
        None, kind=Kind.FILE, title="Private key", help="Its key (PEM).", advanced=True
    )
    allowed_host: tuple[str, ...] | None = option(
        None,
        title="Names",
        placeholder="its own",
        help="Under which it is called beside its own names and addresses, like cam.example.com "
        "or *.example.com; 'none' for no more; by default as it was there. A server without a "
        "token answers no other name of the public Internet.",
        advanced=True,
    )
    open_to_all: bool = option(
        False,
        title="Allow unauthenticated access",
        help="Confirm that the endpoint accepts unauthenticated requests from the network.",
        advanced=True,
        spelling="allow_unauthenticated",
    )
    host: str | None = option(
        None,
        title="Listen on",
        help="One address of the target to listen on, instead of --expose.",
        advanced=True,
    )
    port: int | None = option(
        None,
        minimum=0,
        maximum=65535,
        help="Port to listen on: by default the one that the endpoint has had, else 8477 or "
        "the next free one on a board, and a free one on this computer; 0 chooses anew.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class ReleaseOptions:
    """The signature of the release, its downgrade, and its limit on the target."""

    sign: Path | None = option(None, kind=Kind.FILE, title=SIGN_WITH.title, help=SIGN_WITH.help)
    downgrade: str | None = option(
        None,
        title="Reason to go back",
        placeholder="only for an older version",
        help="Why a version that is older than what the target had is to be served there; the "
        "target's history keeps the reason. Without it an older version is refused.",
        advanced=True,
    )
    budget_ms: float | None = option(
        None,
        minimum=0,
        title="Latency budget",
        unit="ms",
        help="Refuse the release if its median latency on the target is above this.",
    )


@dataclass(frozen=True, kw_only=True)
class TrialOptions:
    """The soak or trial of a release after the switch."""

    soak_s: float | None = option(
        None,
        minimum=0,
        maximum=3600,
        title="Soak time",
        placeholder="1 s, on trial 300 s",
        unit="s",
        help="Maximum soak time in seconds (default 1; 300 with --trial).",
        advanced=True,
    )
    quality: bool = option(
        False,
        title="Roll back automatically",
        help="Compare with the previous release on live requests. Roll back automatically "
        "if answers, latency, errors or drift are worse.",
        spelling="trial",
    )
    soak_rule: tuple[str, ...] | None = option(
        None,
        title="Trial rule",
        help="Limit of the trial as NAME=VALUE, such as disagreement=0.05 (see "
        "docs/monitoring.md).",
        advanced=True,
        spelling="trial_rule",
    )


@dataclass(frozen=True, kw_only=True)
class KeptOptions:
    """Requests that a machine stores or compares besides serving; no platform supports them."""

    agreement: float = option(
        0.0,
        minimum=0,
        maximum=50,
        unit="% of a core",
        title="Shadow comparison with previous release",
        zero="after a trial no answer is compared",
        help="Also load the previous release and compare its results on some requests, using "
        "up to this share of one core.",
        advanced=True,
        spelling="shadow_cpu",
    )
    keep_samples: int = option(
        0,
        minimum=0,
        maximum=10_000,
        title="Keep uncertain requests",
        zero="off",
        help="So many of the requests that the model is least certain of stay on the target, for "
        "labelling (studio monitor --samples). They are what clients have sent: off unless you "
        "say so, with each deploy.",
        advanced=True,
    )
    samples_mb: float = option(
        SAMPLES_MB,
        minimum=0.1,
        maximum=100_000,
        unit="MB",
        title="Disk quota for kept requests",
        help="At most so much of the target's disk.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class PlatformOptions:
    """Options for platforms alone."""

    canary: int = option(
        0,
        minimum=0,
        maximum=99,
        title="Canary",
        unit="%",
        zero="all at once",
        help="Share of the traffic for the new release until it is promoted or rolled back.",
        advanced=True,
    )
    set: tuple[str, ...] | None = option(
        None,
        title="Options of the platform",
        help="NAME=VALUE, for a target that is an engine, a cluster or a cloud.",
        advanced=True,
    )


# A dataclass collects its fields from the last base to the first: the order of the form.
# The order of the form is that of the bases from the last to the first.
@dataclass(frozen=True, kw_only=True)
class DeployOptions(
    PlatformOptions,
    KeptOptions,
    TrialOptions,
    ReleaseOptions,
    AccessOptions,
    BundleOptions,
    PlaceOptions,
):
    """Options of the step ``deploy``.

    Attributes:
        numbering: Registry data that packaging needs, added before the work starts.
    """

    numbering: Numbering | None = None

    def packaging(self) -> PackageOptions:
        """Return the options of packaging the model within this step."""
        assert self.model is not None
        return PackageOptions(
            model=self.model,
            data=self.data,
            labels=self.labels,
            preprocess=self.preprocess,
            embedding=self.embedding,
            numbering=self.numbering,
        )


_FORM = {one.name: one for one in form(DeployOptions)}

BUNDLE, DATA, DOWNGRADE, EMBEDDING, ENDPOINT, LABELS, MODEL, PREPROCESS, REPLACE = (
    _FORM[name]
    for name in (
        "bundle",
        "data",
        "downgrade",
        "embedding",
        "endpoint",
        "labels",
        "model",
        "preprocess",
        "replace",
    )
)
KEPT = form(KeptOptions)
