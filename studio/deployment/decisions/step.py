"""The steps on the record of decisions: list, export, verify, forget, where."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission, TargetSpec
from studio.deployment.decisions.results import (
    DecisionsResult,
    ExportedDecisions,
    ForgottenDecisions,
    KeptData,
    ListResult,
    WhereResult,
)
from studio.jobs import Effect, Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})
_TIME = "as 2026-12-01 or 2026-12-01T08:30, in UTC"


@dataclass(frozen=True, kw_only=True)
class RecordedTarget:
    """The target whose record is read.

    Attributes:
        most_mb: Bound on what is read, whatever the target sends.
    """

    target: TargetSpec = option(
        kind=Kind.TARGET, positional=True, help="Target name, or TARGET/NAME for one endpoint."
    )
    most_mb: float = option(
        4096.0,
        minimum=1,
        maximum=1_000_000,
        unit="MB",
        title="Limit",
        help="Maximum size of the record that is read.",
        advanced=True,
    )


@dataclass(frozen=True, kw_only=True)
class ListOptions(RecordedTarget):
    """Options of the step ``decisions-list``."""

    lines: int = option(20, minimum=1, maximum=10_000, help="Number of entries.")


@dataclass(frozen=True, slots=True)
class RecordEnd:
    """An end of a target's record that was seen before."""

    number: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class VerifyDecisionsOptions:
    """Options of the step ``decisions-verify``.

    Attributes:
        anchors: Ends that the registry has seen, added before the work starts.
    """

    target: TargetSpec | None = option(
        None, kind=Kind.TARGET, positional=True, help="Target name (or use --file)."
    )
    file: Path | None = option(None, kind=Kind.FILE, help="File of studio decisions export.")
    most_mb: float = option(
        4096.0,
        minimum=1,
        maximum=1_000_000,
        unit="MB",
        title="Limit",
        help="Maximum size of the record that is read.",
        advanced=True,
    )
    anchors: tuple[RecordEnd, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExportDecisionsOptions(RecordedTarget):
    """Options of the step ``decisions-export``."""

    begin: str | None = option(
        None, key="from", title="From", help=f"Begin of the period, {_TIME} (default: all)."
    )
    end: str | None = option(
        None, key="to", title="To", help=f"End of the period, {_TIME}; a day is included."
    )
    out: Path = option(kind=Kind.OUTPUT, title="File", help="File for the entries, one a line.")


@dataclass(frozen=True, kw_only=True)
class ForgetOptions:
    """Options of the step ``decisions-forget``."""

    target: TargetSpec = option(
        kind=Kind.TARGET, positional=True, help="Target name, or TARGET/NAME for one endpoint."
    )
    what: str = option(
        positional=True,
        help="Id of a request, SHA-256 of an input, or the file that was sent as the input.",
    )


@dataclass(frozen=True, kw_only=True)
class WhereOptions:
    """Options of the step ``decisions-where``.

    Attributes:
        desk: Places on this computer, added before the work starts.
    """

    target: TargetSpec = option(
        kind=Kind.TARGET, positional=True, help="Target name, or TARGET/NAME for one endpoint."
    )
    desk: tuple[KeptData, ...] = ()


DECISIONS_LIST: Step[ListOptions, ListResult] = Step(
    name="decisions-list",
    title="List decisions",
    summary="List the newest decisions and overrides that a target has recorded.",
    options=ListOptions,
    result=ListResult,
    work="studio.deployment.decisions.work:newest",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    effect=Effect.LOOKS,
    in_history=False,
    texts="studio.deployment.decisions.texts:listed",
)

DECISIONS_EXPORT: Step[ExportDecisionsOptions, ExportedDecisions] = Step(
    name="decisions-export",
    title="Export decisions",
    summary="Export the recorded decisions of a period with their chain, as lines of JSON.",
    options=ExportDecisionsOptions,
    result=ExportedDecisions,
    work="studio.deployment.decisions.work:export",
    record="studio.deployment.decisions.record:exported",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    effect=Effect.LOOKS,
    texts="studio.deployment.decisions.texts:exported",
    exit_code="studio.deployment.decisions.texts:exit_code",
)

DECISIONS_VERIFY: Step[VerifyDecisionsOptions, DecisionsResult] = Step(
    name="decisions-verify",
    title="Verify decisions",
    summary="Verify the chain of a target's recorded decisions, or of an exported file.",
    options=VerifyDecisionsOptions,
    result=DecisionsResult,
    work="studio.deployment.decisions.work:verify",
    prepare="studio.deployment.decisions.record:anchors",
    record="studio.deployment.decisions.record:verified",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    effect=Effect.LOOKS,
    in_history=False,
    texts="studio.deployment.decisions.texts:verified",
    exit_code="studio.deployment.decisions.texts:exit_code",
)

DECISIONS_FORGET: Step[ForgetOptions, ForgottenDecisions] = Step(
    name="decisions-forget",
    title="Forget decisions",
    summary="Delete what a target has recorded of a request or an input; the hashes stay.",
    options=ForgetOptions,
    result=ForgottenDecisions,
    work="studio.deployment.decisions.work:forget",
    prepare="studio.deployment.decisions.record:identified",
    record="studio.deployment.decisions.record:forgotten",
    needs=_NEEDS,
    limits=Limits(seconds=3600),
    guarded=False,
    texts="studio.deployment.decisions.texts:forgotten",
)

DECISIONS_WHERE: Step[WhereOptions, WhereResult] = Step(
    name="decisions-where",
    title="List personal data",
    summary="List where data that may be about persons is kept, how long, and what deletes it.",
    options=WhereOptions,
    result=WhereResult,
    work="studio.deployment.decisions.work:where",
    prepare="studio.deployment.decisions.record:on_the_desk",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    effect=Effect.LOOKS,
    in_history=False,
    texts="studio.deployment.decisions.texts:places",
)
