"""Results of the steps on the variables of an app."""

from __future__ import annotations

from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TargetVariable:
    """One variable of an app on a target.

    Attributes:
        value: ``***`` in place of a secret, and of the login and the query of an address.
        origin: ``board`` (set there), ``app`` (from app.toml) or ``missing``.
        declared: Whether the app that is served has it.
    """

    name: str
    value: str
    origin: str
    secret: bool
    declared: bool


@dataclass(frozen=True, slots=True)
class AppVariablesResult:
    """The variables of the app of a target.

    Attributes:
        app: Its name; empty before the first release.
        changed: Whether this command changed them.
        restarted: Whether the app was restarted with them.
        fault: Why the app does not run; empty when it does.
    """

    target: str
    app: str
    variables: tuple[TargetVariable, ...]
    changed: bool = False
    restarted: bool = False
    fault: str = ""
