"""A folder of releases in a temporary folder, driven through its verbs as the studio does."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.deployment.machine.answers import PartialFile
from studio.deployment.machine.upload import Outgoing, Stream
from studio.packages import Bundle, build_runtime
from studio.runtime.release.server.server_control import Server
from studio.runtime.release.store.layout import Layout
from studio.runtime.shared.chained_log import Journal


class Machine:
    """Runs verbs as processes.

    Attributes:
        under: Words put in front of the command (a tracer).
    """

    def __init__(self, root: Path, owner: str = "ann@desk", runtime: Path | None = None) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.layout = Layout(root)
        self.owner = owner
        self.token = ""
        self.under: list[str] = []
        if runtime is None:
            made = build_runtime(root, bytecode=True)  # as the studio has it for this computer
            self.layout.make()
            runtime = made.path.rename(self.layout.runtime(made.digest))
        self.runtime = runtime

    @property
    def command(self) -> list[str]:
        """What comes before the verb."""
        return [sys.executable, str(self.runtime), "release"]

    def call(self, verb: str, frames: bytes = b"", **request: Any) -> dict[str, Any]:
        """Run a verb; its last line (``event`` says whether it is the result or an error)."""
        message = {"owner": self.owner, **({"token": self.token} if self.token else {}), **request}
        done = subprocess.run(
            [*self.under, *self.command, verb, "--root", str(self.layout.root)],
            input=json.dumps(message).encode() + b"\n" + frames,
            capture_output=True,
            timeout=120,
            check=False,
        )
        lines = done.stdout.splitlines()
        assert lines, f"{verb} said nothing ({done.returncode}): {done.stderr.decode()[-2000:]}"
        answer: dict[str, Any] = json.loads(lines[-1])
        assert (done.returncode == 0) == (answer["event"] == "result")
        return answer

    def ok(self, verb: str, frames: bytes = b"", **request: Any) -> dict[str, Any]:
        """Run a verb that must succeed."""
        answer = self.call(verb, frames, **request)
        assert answer["event"] == "result", answer
        return answer

    def refused(self, verb: str, frames: bytes = b"", **request: Any) -> dict[str, Any]:
        """Run a verb that must fail with a code and a sentence."""
        answer = self.call(verb, frames, **request)
        assert answer["event"] == "error", answer
        assert answer["message"].endswith(".")
        return answer

    def begin(self, release: str = "") -> None:
        """Become the operator."""
        self.token = self.ok("begin", release=release)["token"]

    def lacking(self, bundle: Bundle) -> list[Outgoing]:
        """What must be sent of a bundle."""
        answer = self.ok("missing", blobs={file.digest: file.size for file in bundle.files})
        partial = answer["partial"]
        return [
            Outgoing.of(
                file.name,
                file.path,
                file.digest,
                file.size,
                PartialFile(**partial[file.digest]) if file.digest in partial else None,
            )
            for file in bundle.files
            if file.digest in answer["missing"]
        ]

    def send(self, bundle: Bundle) -> int:
        """Send what is missing; the number of files."""
        files = self.lacking(bundle)
        if files:
            stream = Stream(files)
            self.ok("receive", b"".join(stream), **stream.request)
        return len(files)

    def stage(self, bundle: Bundle) -> dict[str, Any]:
        """Stage it for this interpreter."""
        digest = self.runtime.stem
        return self.call("stage", manifest=bundle.text, runtime=digest, python=sys.executable)

    def ready(self, bundle: Bundle) -> None:
        """Everything up to the switch."""
        self.begin(bundle.digest)
        self.send(bundle)
        assert self.stage(bundle)["event"] == "result"

    def deploy(self, bundle: Bundle) -> dict[str, Any]:
        """All steps without a probe and with a soak of one look."""
        self.ready(bundle)
        done = self.ok("switch", release=bundle.digest, soak_s=0)
        self.ok("gc")
        self.ok("end")
        self.token = ""
        return done

    @property
    def state(self) -> dict[str, Any]:
        """The state file."""
        found: dict[str, Any] = json.loads(self.layout.state.read_bytes())
        return found

    def check_invariants(self) -> None:
        """What must hold after anything that may happen, once the next operator has looked."""
        state, linked = self.state, self.layout.linked()
        assert linked == state["current"], "the link does not follow the state"
        if linked:
            folder = self.layout.release(linked)
            assert (folder / "manifest.json").is_file(), "a partial version is active"
        assert Journal(self.layout.log, self.layout.sealed).broken_at() == 0
        assert state["phase"] in ("idle", "receive")


@contextlib.contextmanager
def machine(root: Path, **options: Any) -> Iterator[Machine]:
    """A machine whose server is ended with the test."""
    made = Machine(root, **options)
    try:
        yield made
    finally:
        server = Server(made.layout)
        pid = server.started.pid
        if not server.stop(seconds=5.0) and pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
