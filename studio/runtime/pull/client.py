"""One poll of the server, and all that follows from it."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Callable, List, Optional, Tuple

from ..release.board import Board
from ..release.store.layout import Layout
from ..shared.errors import ReleaseError
from ..shared.files import remove
from .action_state import FAILURE, RUNNING, SUCCESS, ActionState, load, save
from .connection import ServerConnection
from .container import Container
from .ddi import (
    Poll,
    PulledAction,
    action_id,
    cancelled_action,
    deployment_of,
    feedback,
    poll_of,
)
from .download import download, place_for
from .errors import CancelledByServer, PullError, TryLater
from .facts import digest_of_facts, facts_of
from .installation import JUDGED, STEPS, Installation, failure_sentences
from .release_machine import ReleaseMachine
from .settings import PullFolder, PullSettings

_FAILED = 10
_BUSY = ("locked", "lease-lost")

Say = Callable[[str], None]


class PullClient:
    """The pull client of one folder of releases."""

    def __init__(self, root: Path, say: Say, application: Optional[Path] = None) -> None:
        """Read the settings.

        Args:
            say: Receives a sentence on each thing that happens.
            application: The zip application of the runtime; None for that of this process.

        Raises:
            PullError: when the settings or the secret cannot be used.
        """
        self._folder = PullFolder(root)
        self._layout = Layout(root)
        self._settings: PullSettings = self._folder.load()
        self._connection = self._connected()
        self._say = say
        self._application = application or _own_application()
        self._state: ActionState = load(self._folder)

    @property
    def state(self) -> ActionState:
        """The action under way and what became of it."""
        return self._state

    def poll(self) -> float:
        """Poll once and do what is offered; return the seconds until the next poll, or 0.

        Raises:
            TryLater: when the server is away or busy, or this board is.
            PullError: when its answer cannot be used.
        """
        try:
            self._report_outcome()
            found = poll_of(self._connection.get(self._settings.base))
            self._send_facts(required="configData" in found.links)
            self._act(found)
            return found.sleep_s
        finally:
            self._connection.close()

    def note(self, message: str) -> None:
        """Keep a sentence for the status."""
        self._save(self._state._replace(message=message))

    def _act(self, found: Poll) -> None:
        if "cancelAction" in found.links:
            self._cancel(found.links["cancelAction"])
        elif "deploymentBase" in found.links:
            self._deploy(found.links["deploymentBase"])
        elif self._state.action and self._state.outcome == RUNNING:
            self._say("The server no longer offers action {}.".format(self._state.action))
            self._forget_action()

    def _deploy(self, href: str) -> None:
        """Carry out an action from the point at which an earlier attempt was cut off."""
        path = self._connection.path_of(href, self._settings.base)
        try:
            wanted = deployment_of(self._connection.get(path))
        except PullError as error:
            self._refuse(action_id(_last(path)), str(error))
            return
        if wanted.id != _last(path):
            self._refuse(action_id(_last(path)), "The server numbers its action in two ways.")
            return
        if self._already(wanted):
            return
        now = self._state
        if (now.action, now.artifact) != (wanted.id, wanted.artifact.digest) or now.outcome:
            self._save(now.started(wanted.id, wanted.artifact.digest, time.time()))
            self._say("Action {} begins.".format(wanted.id))
        try:
            self._carry_out(wanted)
        except CancelledByServer:
            self._say("Action {} is cancelled.".format(wanted.id))
            return
        except PullError as error:
            self._end(FAILURE, [str(error)])
        self._report_outcome()

    def _already(self, wanted: PulledAction) -> bool:
        """Report again what the server should know, where it offers a release that serves here."""
        now = self._state
        same = (now.action, now.artifact) == (wanted.id, wanted.artifact.digest)
        if not same or now.outcome != SUCCESS or not now.release:
            return False
        if Board(self._layout, "").state.current != now.release:
            return False
        self._save(now._replace(reported=False))
        self._report_outcome()
        return True

    def _carry_out(self, wanted: PulledAction) -> None:
        if self._was_cut_off():
            return
        self._send(wanted.id, "download", ["The artefact is being downloaded."], (0, STEPS))
        link = self._connection.path_of(wanted.artifact.href, self._settings.base)
        place = place_for(self._folder.folder, wanted.artifact)
        most = self._settings.most_bytes
        check = self._check_cancelled
        download(self._connection, link, wanted.artifact, place, most, check)
        try:
            container = Container(place)
        except PullError:
            remove(place)
            raise
        release = container.manifest.digest
        self._save(self._state._replace(release=release))
        self._send(wanted.id, "downloaded", ["The artefact has arrived whole."], (1, STEPS))
        if not wanted.installs:
            self._say("Action {} waits for the server's leave to install.".format(wanted.id))
            return
        self._install(wanted, container)
        remove(place)

    def _install(self, wanted: PulledAction, container: Container) -> None:
        """Hand a release to the release machine, and note the outcome.

        Raises:
            TryLater: when another operator works on this board.
        """
        if container.manifest.digest in self._state.failed:
            self._end(FAILURE, ["This release has failed on this board before."])
            return
        self._save(self._state._replace(installing=True))
        owner = "pull:{}".format(self._settings.id)
        machine = ReleaseMachine(self._layout.root, owner, self._application)

        def step(number: int, sentence: str) -> None:
            self._say(sentence)
            self._quietly(wanted.id, sentence, number)

        try:
            done = Installation(self._layout, self._settings, machine, owner).run(container, step)
        except ReleaseError as error:
            if error.code in _BUSY:
                raise TryLater(error.message) from None
            if error.code in JUDGED:
                failed = (*self._state.failed, container.manifest.digest)[-_FAILED:]
                self._save(self._state._replace(failed=failed))
            self._end(FAILURE, failure_sentences(error))
            return
        self._end(SUCCESS, list(done.details))

    def _was_cut_off(self) -> bool:
        """Note the outcome of an installation whose end this client did not see."""
        now = self._state
        if not now.installing or not now.release:
            return False
        board = Board(self._layout, "")
        if board.state.phase == "idle" and board.state.current == now.release:
            self._end(SUCCESS, ["The release serves; the client was interrupted after the switch."])
            return True
        past = [one for one in board.state.history if one.get("release") == now.release]
        last = past[-1] if past else {}
        at = last.get("at")
        if last.get("state") == "failed" and isinstance(at, float) and at >= now.since:
            self._end(FAILURE, [str(last.get("reason"))])
            return True
        return False

    def _cancel(self, href: str) -> None:
        """Confirm a cancellation, or refuse it where the action has ended already."""
        path = self._connection.path_of(href, self._settings.base)
        own, stop = cancelled_action(self._connection.get(path))
        now = self._state
        if now.action == stop and now.outcome:
            details = ["The action has ended already: {}.".format(now.outcome)]
            self._connection.send(
                "POST", path + "/feedback", feedback(own, "rejected", "none", details)
            )
            return
        details = ["The action was cancelled before its release was installed."]
        self._connection.send(
            "POST", path + "/feedback", feedback(own, "closed", "success", details)
        )
        self._forget_action()

    def _check_cancelled(self) -> None:
        """Poll during a download, over a connection of its own.

        Raises:
            CancelledByServer: when the action is offered no more.
        """
        other = self._connected()
        try:
            found = poll_of(other.get(self._settings.base))
        except (TryLater, PullError):
            return
        finally:
            other.close()
        if "cancelAction" in found.links:
            raise CancelledByServer

    def _connected(self) -> ServerConnection:
        authority = str(self._folder.authority) if self._settings.ca else ""
        return ServerConnection(self._settings, self._folder.secret(), authority)

    def _send_facts(self, required: bool) -> None:
        facts = facts_of(self._layout, self._settings)
        digest = digest_of_facts(facts)
        if required or digest != self._state.facts:
            document = {"mode": "merge", "data": facts, "status": _CLOSED}
            self._connection.send("PUT", self._settings.base + "/configData", document)
            self._save(self._state._replace(facts=digest))

    def _report_outcome(self) -> None:
        """Report the outcome of the action if the server does not know it yet."""
        now = self._state
        if now.reported or not now.outcome:
            return
        details = list(now.details)
        note = self._connection.clock_note().strip()
        details += [note] if note else []
        try:
            self._send_feedback(now.action, feedback(now.action, "closed", now.outcome, details))
        except PullError as error:  # it does not know the action any more
            self._say("The outcome was not taken: {}".format(error))
        self._save(now._replace(reported=True))

    def _end(self, outcome: str, details: List[str]) -> None:
        self._save(self._state.ended(outcome, tuple(details)))
        for line in details:
            self._say(line)

    def _refuse(self, action: str, reason: str) -> None:
        self._save(self._state.started(action, "", time.time()))
        self._end(FAILURE, [reason])
        self._report_outcome()

    def _send(
        self, action: str, execution: str, details: List[str], progress: Tuple[int, int]
    ) -> None:
        if execution in ("download", "downloaded"):
            # Not all servers count these words as work that is under way.
            self._send_feedback(action, feedback(action, "proceeding", "none", details, progress))
        self._send_feedback(action, feedback(action, execution, "none", [], progress))

    def _quietly(self, action: str, sentence: str, number: int) -> None:
        """Report a step; a server that is away does not stop an installation."""
        document = feedback(action, "proceeding", "none", [sentence], (number, STEPS))
        try:
            self._send_feedback(action, document)
        except (TryLater, PullError):
            pass

    def _send_feedback(self, action: str, document: dict[str, object]) -> None:
        path = "{}/deploymentBase/{}/feedback".format(self._settings.base, action)
        self._connection.send("POST", path, document)

    def _forget_action(self) -> None:
        for part in self._folder.folder.glob("*.part"):
            remove(part)
        self._save(self._state.started("", "", 0.0)._replace(reported=True))

    def _save(self, state: ActionState) -> None:
        save(self._folder, state)
        self._state = state


_CLOSED = {"execution": "closed", "result": {"finished": "success"}, "details": []}
"""Part of configData in servers of the first years of the interface."""


def _own_application() -> Optional[Path]:
    place = Path(os.path.abspath(sys.argv[0]))
    return place if place.is_file() and place.suffix == ".pyz" else None


def _last(path: str) -> str:
    return path.partition("?")[0].rpartition("/")[2]
