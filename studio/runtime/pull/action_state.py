"""The action under way and what became of it: one file, written before each step."""

from __future__ import annotations

import json
from typing import NamedTuple, Tuple

from ..shared.files import write_atomically
from ..shared.records import read
from .settings import PullFolder

RUNNING, SUCCESS, FAILURE = "", "success", "failure"
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


class ActionState(NamedTuple):
    """What the client must know after a restart.

    Attributes:
        action: Number of the action at the server; empty before the first.
        artifact: Digest of its artefact.
        release: Digest of its release, once the artefact was read.
        since: When the action was started, seconds since the epoch.
        installing: Whether the release machine was called for it.
        outcome: ``success`` or ``failure``; empty while it is under way.
        details: Sentences for the server.
        reported: Whether the server has confirmed the outcome.
        facts: Digest of the facts that the server has confirmed.
        failed: Digests of releases that have failed here, the last ones.
        message: What happened last, for people.
    """

    action: str = ""
    artifact: str = ""
    release: str = ""
    since: float = 0.0
    installing: bool = False
    outcome: str = RUNNING
    details: Tuple[str, ...] = ()
    reported: bool = True
    facts: str = ""
    failed: Tuple[str, ...] = ()
    message: str = ""

    def started(self, action: str, artifact: str, now: float) -> ActionState:
        """Return the state of a new action."""
        return self._replace(
            action=action,
            artifact=artifact,
            release="",
            since=now,
            installing=False,
            outcome=RUNNING,
            details=(),
            reported=False,
        )

    def ended(self, outcome: str, details: Tuple[str, ...]) -> ActionState:
        """Return the state after the action, which the server does not know yet."""
        return self._replace(outcome=outcome, details=details, reported=False, installing=False)


def load(folder: PullFolder) -> ActionState:
    """Read the state; a lost or damaged file counts as none."""
    try:
        return read(ActionState, json.loads(folder.state.read_bytes()))
    except FileNotFoundError:
        return ActionState()
    except (OSError, *_MALFORMED):
        return ActionState()


def save(folder: PullFolder, state: ActionState) -> None:
    """Write the state whole, and flush it."""
    text = json.dumps(state._asdict(), sort_keys=True, indent=1) + "\n"
    write_atomically(folder.state, text.encode(), 0o600)
