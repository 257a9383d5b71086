"""The step that sets up the pull client of a board."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission
from studio.deployment.options import TargetOptions
from studio.deployment.pull.results import PullResult
from studio.jobs import Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})


@dataclass(frozen=True, kw_only=True)
class PullOptions(TargetOptions):
    """Options of the step ``target-pull``; without a server the client is shown."""

    server: str | None = option(
        None,
        placeholder="https://fleet.example.org",
        help="Address of the hawkBit-compatible server; without it the client is shown.",
    )
    tenant: str = option("DEFAULT", help="Tenant at the server.")
    board: str | None = option(
        None, title="Name of the board", help="Name at the server (default: that of the target)."
    )
    token_file: Path | None = option(
        None, kind=Kind.FILE, help="File of mode 600 with the token of the board or the tenant."
    )
    gateway: bool = option(False, help="The token is the tenant's gateway token.", advanced=True)
    ca: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Certificate authority",
        help="Authority of the server's certificate (default: those of the board's system).",
    )
    plain: bool = option(
        False, title="Plain HTTP", help="Allow http:// on a network that you trust.", advanced=True
    )
    unsigned: bool = option(
        False,
        title="Unsigned releases",
        help="Install releases that no allowed signer has signed.",
        advanced=True,
    )
    only_model: str | None = option(
        None, help="Name of the only model that the board installs (default: any).", advanced=True
    )
    hardware: str = option("default", help="Hardware that the board reports.", advanced=True)
    group: str = option("default", help="Group that the board reports.", advanced=True)
    poll_s: float = option(
        0.0,
        minimum=0,
        maximum=86400,
        unit="s",
        zero="as the server wants",
        title="Polling interval",
    )
    soak_s: float = option(
        10.0,
        minimum=0,
        maximum=3600,
        unit="s",
        title="Watch",
        help="Time for which the board watches a new release before it keeps it.",
    )
    trial: bool = option(False, help="Compare a new release with the previous one for that time.")
    swupdate: Path | None = option(
        None,
        kind=Kind.FILE,
        title="SWUpdate polls",
        help="Certificate (PEM) of those who sign artefacts for SWUpdate, which then polls "
        "instead of the studio's own client. The board needs the program swupdate.",
        advanced=True,
    )
    mender: bool = option(
        False,
        title="Mender brings releases",
        help="Mender on the board brings releases, instead of a server that is polled.",
        advanced=True,
    )
    remove: bool = option(False, help="Remove the client and its token; releases stay.")


TARGET_PULL: Step[PullOptions, PullResult] = Step(
    name="target-pull",
    awaits_approval=True,
    title="Pull releases",
    summary="Let a board poll a hawkBit-compatible server and install what it offers.",
    options=PullOptions,
    result=PullResult,
    work="studio.deployment.pull.work:pull",
    texts="studio.deployment.pull.texts:lines",
    needs=_NEEDS,
    limits=Limits(seconds=300),
)
