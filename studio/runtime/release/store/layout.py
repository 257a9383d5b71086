"""Layout of the folder of releases on a target."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from ...shared.errors import ReleaseError

SYSTEM_SIGNERS = Path("/etc/edgewright/allowed_signers")
"""Goes before the one among the releases: only the administrator can change it."""

ENDPOINTS = "endpoints"
"""Has a folder of releases for each endpoint beside the target's own."""

APP_VARIABLES = "app-variables.json"

MARKER = "edgewright.json"
"""Record of an environment, written when it is complete."""

_DIGEST = frozenset("0123456789abcdef")


class Layout(NamedTuple):
    """Paths below ``root``; see the module ``machine`` for their writers."""

    root: Path

    @property
    def blobs(self) -> Path:
        """Received files, named by their SHA-256."""
        return self.root / "blobs"

    @property
    def incoming(self) -> Path:
        """Files on their way, each under a name of its own."""
        return self.root / "incoming"

    @property
    def releases(self) -> Path:
        """A folder for each staged release, named by its digest."""
        return self.root / "releases"

    @property
    def environments(self) -> Path:
        """Python environments made of wheels, named by the digest of the set."""
        return self.root / "env"

    @property
    def runtimes(self) -> Path:
        """Zip applications, named by their SHA-256."""
        return self.root / "runtime"

    @property
    def current(self) -> Path:
        """The link to the release that is served."""
        return self.root / "current"

    @property
    def state(self) -> Path:
        """The state of the release machine."""
        return self.root / "state.json"

    @property
    def log(self) -> Path:
        """The chained record of every change."""
        return self.root / "log.jsonl"

    @property
    def sealed(self) -> Path:
        """The closed parts of that record, by their numbers."""
        return self.root / "log"

    @property
    def reserve(self) -> Path:
        """Room that is given back when the disk is full."""
        return self.root / "reserve"

    @property
    def lock(self) -> Path:
        """Held while one command changes something."""
        return self.root / "lock"

    @property
    def lease(self) -> Path:
        """Lease of the operator that may change the target."""
        return self.root / "operator.json"

    @property
    def run(self) -> Path:
        """Folder of the server's own files."""
        return self.root / "run"

    @property
    def server(self) -> Path:
        """Written by the server: its address, state and generation."""
        return self.run / "server.json"

    @property
    def service(self) -> Path:
        """Written by the release machine: which process it started, and how."""
        return self.run / "service.json"

    @property
    def service_before(self) -> Path:
        """How the server was started before a switch that is not kept yet."""
        return self.run / "service.before.json"

    @property
    def app_variables(self) -> Path:
        """The variables of an app on this target: a JSON object of texts."""
        return self.root / APP_VARIABLES

    @property
    def signers(self) -> Path:
        """Allowed signers of releases; without the file any release is accepted."""
        return self.root / "allowed_signers"

    @property
    def target(self) -> Path:
        """The target's own folder of releases: that of an endpoint lies below it."""
        return self.root.parent.parent if self.root.parent.name == ENDPOINTS else self.root

    def neighbours(self) -> list[Layout]:
        """Return the folders of releases of the target's other endpoints."""
        target = self.target
        folders = (target, *sorted((target / ENDPOINTS).glob("*")))
        return [Layout(folder) for folder in folders if folder != self.root]

    def allowed_signers(self) -> Path | None:
        """Return the file of allowed signers in force, or None if any release is accepted.

        The signers of a target also apply to its endpoints: a new endpoint does not bypass them.
        """
        files = (SYSTEM_SIGNERS, self.signers, Layout(self.target).signers)
        return next((path for path in files if path.exists()), None)

    @property
    def access(self) -> Path:
        """Folder of credentials, readable by its owner only."""
        return self.root / "access"

    @property
    def token(self) -> Path:
        """The token that callers must send; two while one replaces the other, the newer first."""
        return self.access / "token"

    @property
    def certificate(self) -> Path:
        """Key and certificate chain of the server, in one file so that both change at once."""
        return self.access / "tls.pem"

    @property
    def next_certificate(self) -> Path:
        """The same for the next switch."""
        return self.access / "tls.next.pem"

    @property
    def old_certificate(self) -> Path:
        """The same from before a switch that is not kept yet."""
        return self.access / "tls.old.pem"

    @property
    def server_log(self) -> Path:
        """Output of the server."""
        return self.run / "server.log"

    @property
    def engines(self) -> Path:
        """What execution providers have compiled, a folder a release (see ``release_root``)."""
        return self.run / "engines"

    def release(self, digest: str) -> Path:
        """Return the folder of a release."""
        return self.releases / checked_digest(digest)

    def binding(self, digest: str) -> Path:
        """Return the file that names the interpreter and runtime of a release."""
        return self.releases / (checked_digest(digest) + ".json")

    def blob(self, digest: str) -> Path:
        """Return the path of a received file."""
        return self.blobs / checked_digest(digest)

    def environment(self, digest: str) -> Path:
        """Return the folder of an environment."""
        return self.environments / checked_digest(digest)

    def runtime(self, digest: str) -> Path:
        """Return the path of a zip application."""
        return self.runtimes / (checked_digest(digest) + ".pyz")

    def linked(self) -> str:
        """Return the digest of the release that ``current`` points to; empty without one."""
        try:
            return os.path.basename(os.readlink(str(self.current)))
        except OSError:
            return ""

    def make(self) -> None:
        """Create the folders.

        Raises:
            ReleaseError: when the place cannot be written to.
        """
        received = (self.blobs, self.incoming, self.runtimes)
        folders = (*received, self.releases, self.environments, self.run)
        try:
            for folder in folders:
                folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        except OSError as error:
            raise ReleaseError(
                "not-writable",
                "The folder {} cannot be written to: {}.".format(self.root, error.strerror),
                "Choose another release folder with --root, or free disk space.",
            ) from None


def checked_digest(text: str) -> str:
    """Return the text if it is a hexadecimal SHA-256: it becomes a file name."""
    if len(text) != 64 or not _DIGEST.issuperset(text):
        raise ReleaseError("bad-request", "{!r} is not a SHA-256 digest.".format(text[:80]))
    return text
