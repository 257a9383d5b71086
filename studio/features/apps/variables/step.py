"""The steps on the variables of an app: list them, set and unset them."""

from __future__ import annotations

from pathlib import Path

from studio.api import Kind, Permission
from studio.deployment.options import TargetOptions
from studio.features.apps.variables.results import AppVariablesResult
from studio.jobs import Effect, Limits, Step
from studio.jobs.options_form import option
from studio.lazy_dataclass import dataclass

_NEEDS = frozenset({Permission.NETWORK, Permission.HOME, Permission.SECRETS, Permission.PROCESSES})


@dataclass(frozen=True, kw_only=True)
class SetVariablesOptions(TargetOptions):
    """Options of the step ``app-set-variables``; values are in a file, so that none is recorded."""

    file: Path | None = option(
        None,
        kind=Kind.FILE,
        title="Values",
        help="File with a line NAME=VALUE for each variable; passwords belong there.",
    )
    unset: tuple[str, ...] = option((), help="Variable that loses its value on the target.")
    ahead: bool = option(
        False,
        help="Take variables that only the next version of the app declares.",
    )


APP_VARIABLES: Step[TargetOptions, AppVariablesResult] = Step(
    name="app-variables",
    title="Variables",
    summary="List the variables of the app on a target; secrets are not shown.",
    options=TargetOptions,
    result=AppVariablesResult,
    work="studio.features.apps.variables.work:listed",
    texts="studio.features.apps.variables.texts:lines",
    needs=_NEEDS,
    limits=Limits(seconds=300),
    effect=Effect.LOOKS,
    in_history=False,
)

APP_SET_VARIABLES: Step[SetVariablesOptions, AppVariablesResult] = Step(
    name="app-set-variables",
    title="Set variables",
    summary="Set or unset variables of the app on a target, and restart the app with them.",
    options=SetVariablesOptions,
    result=AppVariablesResult,
    work="studio.features.apps.variables.work:changed",
    texts="studio.features.apps.variables.texts:lines",
    needs=_NEEDS,
    limits=Limits(seconds=600),
)
