"""Pre-flight check of what the plugins' checks found when the model was packaged."""

from __future__ import annotations

from studio.api import Action, Level, StudioError
from studio.deployment.admission import PreflightCheck
from studio.packages import Bundle
from studio.packages.checks import read_checks

NAME = "checks"
_HINT = (
    "Fix the model or the plugin of this check, then package again. See inputs "
    "and types with: studio inspect MODEL"
)


def model_check(bundle: Bundle) -> PreflightCheck:
    """Return the pre-flight check of a bundle; an ERROR finding blocks the deploy."""
    try:
        checked = read_checks(bundle)
    except StudioError as error:
        return PreflightCheck(NAME, False, error.message, error.hint, safety=True)
    if checked is None:
        text = "not checked: the bundle is from an earlier version"
        return PreflightCheck(
            NAME, False, text, "Package the model again to run the checks.", warning=True
        )
    errors, warnings = checked.of(Level.ERROR), checked.of(Level.WARNING)
    if errors:
        return PreflightCheck(
            NAME, False, _joined(errors[0].text, len(errors) - 1), _HINT, safety=True
        )
    if warnings:
        text = _joined(warnings[0].text, len(warnings) - 1)
        return PreflightCheck(NAME, False, text, warning=True)
    count = len(checked.checks)
    return PreflightCheck(
        NAME, True, f"{count} {'check' if count == 1 else 'checks'} of the model passed"
    )


def action_of(check: PreflightCheck) -> Action:
    """Return a pre-flight check as a row of a platform's plan."""
    state = "checked" if check.ok else "warning" if check.warning else "blocked"
    return Action(check.name, check.text, state, "" if check.ok else check.hint)


def _joined(text: str, others: int) -> str:
    return f"{text} ({others} more)" if others else text
