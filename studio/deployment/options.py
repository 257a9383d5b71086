"""Options of the deployment steps; a deployment shares the base classes with a rollout.

The bases have no slots: a class of several of them could not have any. All fields are given by
name, so that their order is that of the form alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from studio.api import Kind, TargetSpec
from studio.deployment.decisions.record_options import RecordOptions
from studio.deployment.providers import PartsOptions
from studio.jobs.options_form import form, like, option
from studio.lazy_dataclass import dataclass
from studio.packages.step import BUNDLE, SIGN_WITH, PackagingOptions
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
        None,
        kind=Kind.MODEL,
        positional=True,
        help="Model, version (NAME:NUMBER or NAME@ALIAS) or bundle folder.",
    )
    target: TargetSpec = option("local", kind=Kind.TARGET, help=_TARGET_HELP)
    endpoint: str | None = option(
        None,
        placeholder="next to the model already served",
        help="Name of an additional endpoint on the target, called TARGET/NAME. Other "
        "endpoints keep running.",
        advanced=True,
    )
    replace: bool = option(
        False,
        title="Replace another model",
        help="Replace another model. Not needed for versions and variants of the same model.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class BundleOptions:
    """A bundle instead of a model, and the plan alone."""

    bundle: Path | None = like(BUNDLE)
    dry_run: bool = option(False, title="Dry run", help="Print the plan and change nothing.")


@dataclass(frozen=True, kw_only=True)
class ServerOptions:
    """The computation of the model on the target."""

    providers: str | None = option(
        None,
        title="Execution providers",
        placeholder="unchanged; at first those that are installed",
        help="Execution providers of ONNX Runtime in order, such as tensorrt,cuda:1. 'auto' "
        "takes those that the target's package of ONNX Runtime brings (default: unchanged; at "
        "first auto). The CPU computes what is left.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class AccessOptions:
    """Access to the endpoint, and the address on which it listens."""

    expose: Literal["loopback", "network"] | None = option(
        None,
        choice_titles=("localhost only", "network"),
        title="Expose",
        help="Accept requests from the target only, or from its network (default: "
        "unchanged; at first the target only).",
    )
    token: Literal["none", "generate", "given"] | None = option(
        None,
        choice_titles=("no token", "generate on target", "from file"),
        title="Token",
        help="Bearer token for requests: generated on the target at each deployment, or "
        "given in --token-file or $EDGEWRIGHT_TOKEN (default: unchanged; at first "
        "none).",
    )
    token_file: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Token file",
        help="File with your token in one line. A token is never an argument.",
        advanced=True,
    )
    tls: Literal["none", "self-signed", "given"] | None = option(
        None,
        choice_titles=("plain HTTP", "self-signed certificate", "your certificate"),
        title="TLS",
        help="Encrypt with a self-signed certificate that the studio pins, or with --cert "
        "and --key (default: unchanged; at first plain HTTP).",
    )
    cert: Path | None = option(
        None, kind=Kind.FILE, title="Certificate", help="Certificate chain (PEM).", advanced=True
    )
    key: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Private key",
        help="Private key of the certificate (PEM).",
        advanced=True,
    )
    allowed_host: tuple[str, ...] | None = option(
        None,
        title="Names",
        placeholder="own names",
        help="Additional host name that the server accepts, such as cam.example.com or "
        "*.example.com; 'none' removes them (default: unchanged). A server without a "
        "token refuses other public host names.",
        advanced=True,
    )
    allow_unauthenticated: bool = option(
        False,
        title="Allow unauthenticated access",
        help="Confirm that the endpoint accepts unauthenticated requests from the network.",
        advanced=True,
    )
    host: str | None = option(
        None,
        title="Listen on",
        help="Address of the target to listen on, instead of --expose.",
        advanced=True,
    )
    port: int | None = option(
        None,
        minimum=0,
        maximum=65535,
        help="Port to listen on; 0 chooses a new one. Default: unchanged; at first 8477 or "
        "the next free port on a board, a free port on this computer.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class ReleaseOptions:
    """The signature of the release, its downgrade, and its limit on the target."""

    sign: Path | None = option(None, kind=Kind.FILE, title=SIGN_WITH.title, help=SIGN_WITH.help)
    downgrade: str | None = option(
        None,
        title="Reason for the downgrade",
        placeholder="only for older versions",
        help="Reason to deploy an older version than the last one. Required for a "
        "downgrade and stored in the release history.",
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
        placeholder="1 s; in a trial 300 s",
        unit="s",
        help="Maximum soak time in seconds (default 1; 300 with --trial).",
        advanced=True,
    )
    trial: bool = option(
        False,
        title="Roll back automatically",
        help="Compare with the previous release on live requests. Roll back automatically "
        "if answers, latency, errors or drift are worse.",
    )
    trial_rule: tuple[str, ...] | None = option(
        None,
        title="Trial rule",
        help="Limit of the trial as NAME=VALUE, such as disagreement=0.05 (see "
        "docs/monitoring.md).",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class KeptOptions:
    """Requests that a machine stores or compares besides serving; no platform supports them."""

    shadow_cpu: float = option(
        0.0,
        minimum=0,
        maximum=50,
        unit="% of a core",
        title="Shadow comparison with previous release",
        zero="off after a trial",
        help="Also load the previous release and compare its results on some requests, using "
        "up to this share of one core.",
        advanced=True,
    )
    keep_samples: int = option(
        0,
        minimum=0,
        maximum=10_000,
        title="Keep uncertain requests",
        zero="off",
        help="Number of uncertain requests to keep on the target for labelling (see studio "
        "monitor --samples). They contain client data. Default: off, set at each "
        "deployment.",
        advanced=True,
    )
    samples_mb: float = option(
        SAMPLES_MB,
        minimum=0.1,
        maximum=100_000,
        unit="MB",
        title="Disk quota for kept requests",
        help="Maximum disk space for kept requests on the target.",
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
        help="Platform option as NAME=VALUE, for container engines, clusters and clouds "
        "(see studio plugins list).",
        advanced=True,
    )


# A dataclass collects its fields from the last base to the first: the order of the form.
# The order of the form is that of the bases from the last to the first.
@dataclass(frozen=True, kw_only=True)
class DeployOptions(
    PlatformOptions,
    RecordOptions,
    KeptOptions,
    TrialOptions,
    ReleaseOptions,
    AccessOptions,
    PartsOptions,
    ServerOptions,
    PackagingOptions,
    BundleOptions,
    PlaceOptions,
):
    """Options of the step ``deploy``."""


_FORM = {each.name: each for each in form(DeployOptions)}
MODEL, DOWNGRADE, REPLACE = _FORM["model"], _FORM["downgrade"], _FORM["replace"]
KEPT = form(KeptOptions)
