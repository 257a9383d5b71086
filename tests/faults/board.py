"""A board under faults: real verbs, a real server, and a look at what must always hold."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from studio.deployment.machine.upload import Outgoing, Stream
from studio.packages import Bundle, build_runtime
from studio.runtime import release
from studio.runtime.release.server.server_control import Server
from studio.runtime.release.store.state import UNCOMMITTED
from studio.runtime.shared import manifest
from studio.runtime.shared.chained_log import Journal
from studio.runtime.shared.files import digest_of
from tests.faults.tally import require
from tests.rigs.bundles import make_bundle
from tests.unit.runtime.release.machine import Machine

CONTENTS = 3
"""A board keeps two releases, so the third content must always be sent again."""

_VERB_S = 60
_START_S = 60


@dataclass(frozen=True)
class Stock:
    """Bundles to deploy, and the application that deploys them."""

    contents: tuple[Bundle, ...]
    runtime: Path

    @classmethod
    def make(cls, folder: Path) -> Stock:
        """Build them; takes seconds."""
        contents = tuple(
            make_bundle(folder / str(seed), seed, samples=1) for seed in range(1, CONTENTS + 1)
        )
        return cls(contents, build_runtime(folder).path)

    def numbered(self, number: int) -> Bundle:
        """One of the contents as a version and counter of its own."""
        bundle = self.contents[number % CONTENTS]
        raw = {**bundle.raw, "version": number, "counter": number}
        text = manifest.canonical(raw)
        found = manifest.parse(text)
        return replace(
            bundle, digest=found.digest, version=number, counter=number, text=text.decode(), raw=raw
        )


class FaultBoard(Machine):
    """A folder of releases. Verbs that are not to fail are forked from this process, to be quick;
    those that are run as the board runs them: an interpreter with the zip application.

    Attributes:
        quick: Whether verbs may be forked: not where the application is a mutant.
    """

    def __init__(self, root: Path, stock: Stock, *, quick: bool = True) -> None:
        root.mkdir(parents=True)
        super().__init__(root, runtime=root)
        self.layout.make()
        digest = digest_of(stock.runtime)
        self.runtime = self.layout.runtime(digest)
        self.runtime.write_bytes(stock.runtime.read_bytes())
        self.quick = quick
        self.stock = stock
        os.environ["EDGEWRIGHT_SERVICE"] = "process"

    @classmethod
    def join(cls, root: Path, stock: Stock, owner: str) -> FaultBoard:
        """The same board for another operator."""
        made = cls.__new__(cls)
        made.runtime = root / "runtime" / (digest_of(stock.runtime) + ".pyz")
        Machine.__init__(made, root, owner, made.runtime)
        made.quick, made.stock = True, stock
        os.environ["EDGEWRIGHT_SERVICE"] = "process"
        return made

    def call(self, verb: str, frames: bytes = b"", **request: Any) -> dict[str, Any]:
        answer = self.attempt(verb, frames, **request)
        assert answer is not None, f"{verb} said nothing"
        return answer

    def attempt(
        self, verb: str, frames: bytes = b"", under: Sequence[str] = (), **request: Any
    ) -> dict[str, Any] | None:
        """Run a verb; None when it was ended before it could say anything."""
        message = {"owner": self.owner, **({"token": self.token} if self.token else {}), **request}
        content = json.dumps(message).encode() + b"\n" + frames
        arguments = [verb, "--root", str(self.layout.root)]
        if self.quick and not under:
            said = _forked(str(self.runtime), arguments, content)
        else:
            said = subprocess.run(
                [*under, *self.command, *arguments],
                input=content,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=_VERB_S,
                check=False,
            ).stdout
        lines = said.splitlines()
        answer: dict[str, Any] | None = json.loads(lines[-1]) if lines else None
        return answer if answer and answer["event"] in ("result", "error") else None

    # A deploy, verb by verb

    def request(self, verb: str, bundle: Bundle) -> tuple[bytes, dict[str, Any]]:
        """The frames and the request of a verb of a deploy."""
        if verb == "begin":
            return b"", {"release": bundle.digest}
        if verb == "missing":
            return b"", {"blobs": {file.digest: file.size for file in bundle.files}}
        if verb == "receive":
            stream = Stream(self.lacking(bundle))
            return b"".join(stream), stream.request
        if verb == "stage":
            where = {"runtime": self.runtime.stem, "python": sys.executable}
            return b"", {"manifest": bundle.text, **where}
        if verb in ("probe", "switch"):
            return b"", {"release": bundle.digest, "soak_s": 0}
        return b"", {}

    def step(self, verb: str, bundle: Bundle) -> dict[str, Any]:
        """Do a verb of a deploy; it must succeed."""
        frames, request = self.request(verb, bundle)
        answer = self.ok(verb, frames, **request)
        if verb == "begin":
            self.token = str(answer["token"])
        if verb == "end":
            self.token = ""
        return answer

    def put(self, bundle: Bundle, verbs: Sequence[str]) -> None:
        """Do some verbs of a deploy."""
        for verb in verbs:
            self.step(verb, bundle)

    def outgoing(self, bundle: Bundle) -> list[Outgoing]:
        """All of a bundle's files."""
        return [Outgoing(f.name, f.path, f.digest, f.size) for f in bundle.files]

    # What must hold

    def check_now(self, *, serves: bool) -> str:
        """What must hold at any moment, before anybody has looked; the digest that is served.

        Raises:
            Violation: naming what does not.
        """
        state = self._state()
        linked = self.layout.linked()
        if linked:
            self._check_whole(linked)
        current = state.get("current", "")
        if current and linked != current:
            require(
                state["phase"] in UNCOMMITTED,
                f"current is {linked[:8]}, the state says {current[:8]} and {state['phase']}",
            )
        broken = Journal(self.layout.log, self.layout.sealed).broken_at()
        require(broken == 0, f"the log is broken at {broken}")
        served = self.served()
        if serves:
            require(served, "nothing is served")
        return served

    def check_recovered(self, *, serves: bool) -> str:
        """What must hold once the next operator has begun; the digest that is current."""
        served = self.check_now(serves=serves)
        state = self._state()
        current = str(state["current"])
        require(self.layout.linked() == current, "the link does not follow the state")
        require(state["phase"] in ("idle", "receive"), f"the phase is {state['phase']}")
        if current:
            counter = manifest.read(self.layout.release(current)).counter
            require(state["counter"] == counter, f"counter {state['counter']}, not {counter}")
        if serves:
            require(served == current, f"{served[:8]} is served, the state says {current[:8]}")
        return current

    def served(self) -> str:
        """The digest of what answers a request now; empty when nothing does."""
        port = self._port(Server(self.layout))
        if not port:
            return ""
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        try:
            link.request("GET", "/edgewright/status")
            return str(json.loads(link.getresponse().read())["digest"])
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return ""
        finally:
            link.close()

    @staticmethod
    def _port(server: Server) -> int:
        """Where a server listens, one that is just being started too; 0 where none runs."""
        end = time.monotonic() + _START_S
        while server.runs() and time.monotonic() < end:
            port = int(server.report().get("port", 0))
            if port:
                return port
            time.sleep(0.02)
        return 0

    def _check_whole(self, digest: str) -> None:
        folder = self.layout.release(digest)
        try:
            manifest.verify(folder, manifest.read(folder))
        except Exception as error:
            require(False, f"a partial version is current: {error}")

    def _state(self) -> Mapping[str, Any]:
        try:
            return dict(json.loads(self.layout.state.read_bytes()))
        except FileNotFoundError:
            return {}
        except ValueError:
            require(False, "the state file is torn")
            raise

    def end(self) -> None:
        """End its server."""
        server = Server(self.layout)
        pid = int(server.service().get("pid", 0))
        if not server.stop(seconds=2.0) and pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _forked(runtime: str, arguments: Sequence[str], content: bytes) -> bytes:
    """Run a verb in a copy of this process; what it said."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as said:
        given.write(content)
        given.flush()
        given.seek(0)
        child = os.fork()
        if child == 0:
            try:
                os.dup2(given.fileno(), 0)
                os.dup2(said.fileno(), 1)
                sys.argv[0] = runtime
                os._exit(release.main(list(arguments)))
            finally:
                os._exit(70)
        os.waitpid(child, 0)
        said.seek(0)
        return said.read()
