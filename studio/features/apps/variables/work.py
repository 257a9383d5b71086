"""The work of the steps on variables: the file of values read, the target's machine called."""

from __future__ import annotations

from pathlib import Path

from studio.api import TargetSpec, UsageError
from studio.deployment.machine_verbs import current_release, machine_session
from studio.deployment.options import TargetOptions
from studio.features.apps.variables.results import AppVariablesResult, TargetVariable
from studio.features.apps.variables.step import SetVariablesOptions
from studio.jobs import Job
from studio.lazy_dataclass import dataclass

_LARGEST = 64 * 1024
_SET_S = 420.0
_REFUSAL = "is a platform target, which has no variables of an app."
_HINT = "Deploy with --set env=... where the platform takes variables."


@dataclass(frozen=True, slots=True)
class _VariablesAnswer:
    """Variables as the release machine lists them."""

    app: str = ""
    variables: tuple[TargetVariable, ...] = ()
    changed: bool = False
    restarted: bool = False
    fault: str = ""


def listed(options: TargetOptions, job: Job) -> AppVariablesResult:
    """List the variables of the app on a target.

    Raises:
        TargetError: without a release, or one that is no app.
    """
    target = options.target
    with machine_session(target, job, _REFUSAL, _HINT, ("apps",)) as (channel, agent):
        current_release(target, channel, agent, "an app")
        agent.install()
        return _result(target, agent.request(_VariablesAnswer, "variables", {}))


def changed(options: SetVariablesOptions, job: Job) -> AppVariablesResult:
    """Set and unset variables, and restart the app with them.

    Raises:
        UsageError: for a file that cannot be read, or without a change.
        TargetError: for what the app cannot have; the former values are in force then.
    """
    target = options.target
    values = {} if options.file is None else read_values(options.file)
    if not values and not options.unset:
        raise UsageError("Missing variables.", hint="Name a file of values, or one to unset.")
    request = {"values": values, "unset": list(options.unset), "ahead": options.ahead}
    with machine_session(target, job, _REFUSAL, _HINT, ("apps",)) as (channel, agent):
        if not options.ahead:
            current_release(target, channel, agent, "an app")
        agent.install()
        done = agent.request(_VariablesAnswer, "set-variables", request, timeout=_SET_S)
    return _result(target, done)


def read_values(path: Path) -> dict[str, str]:
    """Return the values of a file with a line NAME=VALUE for each variable.

    Empty lines and lines with # at their beginning are passed over. No message repeats a line.

    Raises:
        UsageError: for a file that cannot be read, or a line of another form.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not plain text.") from None
    if len(content) > _LARGEST:
        raise UsageError(f"{path} has more than {_LARGEST:,} bytes.")
    found: dict[str, str] = {}
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise UsageError(f"{path}, line {number}: write NAME=VALUE.")
        found[name.strip()] = value
    return found


def _result(target: TargetSpec, done: _VariablesAnswer) -> AppVariablesResult:
    return AppVariablesResult(
        target.name, done.app, done.variables, done.changed, done.restarted, done.fault
    )
