"""A release that another program has brought to this board, and how it is taken and given back."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, NamedTuple

from ..release.store.layout import Layout
from ..shared.errors import ReleaseError
from ..shared.records import read
from .artefact import Artefact
from .errors import PullError
from .installation import Installation, failure_sentences
from .release_machine import ReleaseMachine, own_application
from .settings import PullFolder


class BoardStatus(NamedTuple):
    """Served release of a board, and whether it runs.

    Attributes:
        current: Digest of the release that is served; empty without one.
        running: Whether its server runs.
    """

    current: str = ""
    running: bool = False


class Delivery:
    """The release machine of a folder, as a program that brings releases uses it."""

    def __init__(self, root: Path, client: str) -> None:
        """Read the settings.

        Raises:
            PullError: when this board is not set up for that program, or this process does not run
                from the application.
        """
        application = own_application()
        if application is None:
            raise PullError("Releases are taken by the application only.")
        self._root = root
        self._settings = PullFolder(root).load()
        if self._settings.client != client:
            sentence = "This board takes releases from {}, not from {}."
            raise PullError(sentence.format(self._settings.client, client))
        self._owner = "{}:{}".format(client, self._settings.id)
        self._machine = ReleaseMachine(root, self._owner, application)

    def install(self, artefact: Artefact) -> None:
        """Install a release as a deployment does, and print its sentences.

        Raises:
            PullError: why it was not taken; the release before serves.
        """
        installation = Installation(Layout(self._root), self._settings, self._machine, self._owner)
        try:
            done = installation.run(artefact, lambda _, sentence: print(sentence, flush=True))
        except ReleaseError as error:
            raise PullError(" ".join(failure_sentences(error))) from None
        for line in done.details:
            print(line, flush=True)

    def status(self) -> BoardStatus:
        """Return what is served; changes nothing."""
        return read(BoardStatus, self._call("status"))

    def start(self) -> None:
        """Undo what was interrupted, and start the server if it does not run."""
        self._call("start")

    def stop(self) -> None:
        """Stop the server; the release stays in place."""
        self._call("stop")

    def go_back(self, release: str, before: str) -> str:
        """Serve what was served before a release, unless it is served already.

        Args:
            release: Digest of the release that is not wanted.
            before: Digest of the one before; empty when there was none.

        Returns:
            Digest of the release that serves now; empty without one.
        """
        try:
            self._machine.begin(before)
            if release != before and self.status().current == release:
                if before:
                    self._machine.call("rollback", {"to": before})
                else:
                    self._machine.call("remove", {})
        except ReleaseError as error:
            raise _refusal(error) from None
        finally:
            self._machine.end()
        return self.status().current

    def _call(self, verb: str) -> Dict[str, object]:
        try:
            return self._machine.call(verb, {})
        except ReleaseError as error:
            raise _refusal(error) from None


def _refusal(error: ReleaseError) -> PullError:
    return PullError("{} ({})".format(error.message, error.code))
