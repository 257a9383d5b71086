"""The tree of errors that the studio and its plugins raise on purpose.

Each error is one sentence for the user, and says what to do where that is known::

    StudioError                 exit code 1
    ├── UsageError              2   the request itself is wrong
    ├── GateMissed              3   a limit set by the user was not met
    ├── Refused                 4   refused for safety
    │   ├── UnsafeModel         4
    │   ├── UnknownHost         4   first contact: the key was never confirmed
    │   └── ChangedHost         4   the key differs from the confirmed one
    ├── Cancelled             130
    ├── InvalidModel            1   the file cannot be read as a model
    ├── InvalidData             1   calibration or evaluation data does not fit
    ├── Unavailable             1   a part is missing (a plugin, a library, a program)
    └── TargetError             1   a board, engine or cloud said no, or did not answer
        └── TakenBack           1   a release was worse on trial; the one before is served again
"""

from __future__ import annotations

import json
from typing import Any


class StudioError(Exception):
    """An expected failure: one sentence for the user.

    Attributes:
        hint: What the user can do about it; empty where nothing is known.
        detail: Text for the disclosure behind the sentence (native messages, paths).
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.detail = detail

    @property
    def message(self) -> str:
        """The sentence alone."""
        return str(self.args[0])


class UsageError(StudioError):
    """The request itself is wrong: an unknown name, an impossible option."""

    exit_code = 2


class GateMissed(StudioError):
    """A limit that the user set was not met."""

    exit_code = 3


class Refused(StudioError):
    """The studio will not do this because it is not safe."""

    exit_code = 4


class UnsafeModel(Refused):
    """A model that reaches outside its folder or beyond the limits."""


class UnknownHost(Refused):
    """A board whose host key was never confirmed.

    Attributes:
        key: The key as presented, ``"ssh-ed25519 AAAA..."``.
        fingerprint: Its ``SHA256:...`` fingerprint, to be compared by a person.
    """

    def __init__(self, message: str, *, key: str, fingerprint: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.key = key
        self.fingerprint = fingerprint


class ChangedHost(Refused):
    """A board that presents another host key than the confirmed one."""


class Cancelled(StudioError):
    """The user took the request back."""

    exit_code = 130

    def __init__(self, message: str = "Cancelled.", *, hint: str = "", detail: str = "") -> None:
        super().__init__(message, hint=hint, detail=detail)


class InvalidModel(StudioError):
    """The file cannot be read as a model."""


class InvalidData(StudioError):
    """Calibration or evaluation data that does not fit the model."""


class Unavailable(StudioError):
    """A part is missing: a plugin, a library, a program."""


class TargetError(StudioError):
    """A board, an engine or a cloud said no, or did not answer."""


class TakenBack(TargetError):
    """A new release was worse, and the one before is served again; ``detail`` is the evidence."""

    @property
    def evidence(self) -> dict[str, Any]:
        """What the trial counted; empty for a release that did not come up at all."""
        try:
            return dict(json.loads(self.detail or "{}"))
        except ValueError:
            return {}
