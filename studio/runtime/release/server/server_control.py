"""Control of the serving process of a target: start, reload, wait, stop."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

from ...backends.providers import VARIABLE as PROVIDERS
from ...shared.access_tokens import VARIABLE
from ...shared.errors import ReleaseError
from ...shared.files import remove, write_atomically
from ...shared.records import read
from ..store import ports
from ..store.binding import Binding
from ..store.layout import Layout
from . import access
from .access import Access
from .manager import manager_here, manager_of

_POLL_S = 0.02
_STOP_S = 15.0


class Address(NamedTuple):
    """Address of the server (port 0 lets it choose), its access rules and execution providers."""

    host: str
    port: int
    access: Access = Access()
    providers: str = ""

    def options(self, layout: Layout) -> list[str]:
        """Return the server's options for it."""
        place = ["--host", self.host, "--port", str(self.port)]
        return place + access.options(layout, self.access)


class ServerReport(NamedTuple):
    """Report that a server last wrote about itself.

    Attributes:
        state: ``starting``, ``ready`` or ``failed``.
        error: Reason why a release could not be loaded.
    """

    digest: str = ""
    state: str = ""
    host: str = ""
    port: int = 0
    scheme: str = "http"
    fingerprint: str = ""
    token_required: bool = False
    pid: int = 0
    error: str = "no reason reported"


class StartedService(NamedTuple):
    """Server that was started here: its address and its runtime."""

    host: str = ""
    port: int = 0
    runtime: str = ""
    env: str = ""
    pid: int = 0
    providers: str = ""


class Server:
    """The one server of ``current``; it outlives the command that started it."""

    ended = "the server ended"

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._manager = manager_of(layout, self.service())

    def report(self) -> dict[str, object]:
        """Return the report that the server last wrote; empty without one."""
        return _read(self._layout.server)

    @property
    def status(self) -> ServerReport:
        """Server's last report as a record."""
        return read(ServerReport, self.report())

    def service(self) -> dict[str, object]:
        """Return the recorded service and how it was started."""
        return _read(self._layout.service)

    @property
    def started(self) -> StartedService:
        """Started service as a record."""
        return read(StartedService, self.service())

    def manager(self) -> dict[str, object]:
        """Return the name of its service manager."""
        return {"manager": self._manager.name, **self._manager.facts()}

    def runs(self) -> bool:
        """Return whether the started server still lives."""
        return self._manager.runs()

    def serves(self, digest: str) -> bool:
        """Return whether it lives, is ready, and serves this release."""
        status = self.status
        return status.digest == digest and status.state == "ready" and self.runs()

    def listens(self, address: Address) -> bool:
        """Return whether it has this address, which a running server never changes."""
        started = self.started
        asked = address.port in (0, started.port, self.status.port)
        now = (started.host, access.desired(self.service(), {}), started.providers)
        return asked and now == (address.host, address.access, address.providers)

    def choose_port(self, host: str, usual: int) -> int:
        """Return a port for an endpoint that has none (see ``ports.choose``)."""
        return ports.choose(self._layout, host, usual)

    def require_port(self, address: Address) -> None:
        """Raise ReleaseError while another process listens at the port."""
        if not (self.runs() and self.status.port == address.port):
            ports.require_free(address.host, address.port)

    def remember(self, forget: bool = False) -> None:
        """Record how it runs until the change that starts now is committed."""
        layout = self._layout
        if forget:
            remove(layout.service_before)
        else:
            write_atomically(layout.service_before, json.dumps(self.service()).encode())

    def before(self) -> dict[str, object]:
        """Return how it ran before an uncommitted change."""
        path = self._layout.service_before
        return _read(path) if path.exists() else self.service()

    def token(self) -> str:
        """Return the token that it requires; empty without authentication."""
        return access.token(self._layout) if self.status.token_required else ""

    def has_current_manager(self) -> bool:
        """Return whether it runs under the service manager that this machine has now."""
        return self._manager.name == manager_here(self._layout).name

    def start(self, binding: Binding, address: Address) -> None:
        """Start it instead of the running server, and again after a crash or a boot."""
        layout = self._layout
        before, self._manager = self._manager, manager_here(layout)
        if before.name != self._manager.name or before.name == "process":
            before.stop(_STOP_S)
        with contextlib.suppress(FileNotFoundError):
            layout.server.unlink()
        service = {
            "manager": self._manager.name,
            "host": address.host,
            "port": address.port,
            **address.access._asdict(),
            "providers": address.providers,
            "runtime": binding.runtime,
            "env": binding.env,
            "python": binding.python,
        }
        service.update(self._manager.start(self._command(binding, address), environment()))
        write_atomically(layout.service, json.dumps(service, sort_keys=True).encode())

    def settle(self, binding: Binding, address: Address) -> None:
        """Make the present release and address those that start after a crash or a boot."""
        address = address._replace(port=self.status.port or address.port)
        self._manager.settle(self._command(binding, address))

    def _command(self, binding: Binding, address: Address) -> list[str]:
        layout = self._layout
        root = ("--root", str(layout.root))
        # A release that is rolled back to may run in a runtime that has no option for these.
        names = [*access.variables(address.access), *_providers(address.providers)]
        names = ["/usr/bin/env", *names] if names else []
        return [*names, *command(layout, binding), "serve", *root, *address.options(layout)]

    def stamp(self) -> tuple[int, int]:
        """Return a mark that changes each time the server writes its report."""
        try:
            found = self._layout.server.stat()
        except OSError:
            return (0, 0)
        return (found.st_ino, found.st_mtime_ns)

    def reload(self) -> None:
        """Signal it to read ``current`` again."""
        os.kill(self._manager.pid, signal.SIGHUP)

    def wait_for(self, digest: str, before: tuple[int, int], seconds: float) -> ServerReport:
        """Wait until it reports that it serves a release.

        Args:
            before: Its stamp before the request; older reports do not count.

        Raises:
            ReleaseError: when it reports a failure, ends, or is too slow.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            alive = self.runs()
            status = self.status if self.stamp() != before else ServerReport()
            if status.state == "ready" and status.digest == digest:
                return status
            if status.state == "failed":
                raise self._failure(status.error or ServerReport().error)
            if not alive:
                raise self._failure("the server ended while it was starting")
            time.sleep(_POLL_S)
        raise self._failure("it was not ready after {:g} s".format(seconds))

    def stop(self, seconds: float = _STOP_S) -> bool:
        """Let it finish its requests and stop for good; return whether it ran."""
        return self._manager.stop(seconds)

    def _failure(self, reason: str) -> ReleaseError:
        return ReleaseError(
            "not-ready",
            "The release did not start: {}.".format(reason.rstrip(".")),
            "The release that ran before is still in place.",
            self._manager.tail(),
        )


def _providers(names: str) -> list[str]:
    return ["{}={}".format(PROVIDERS, names)] if names else []


def command(layout: Layout, binding: Binding) -> list[str]:
    """Return the start of a command line that runs a release's own runtime."""
    # An interpreter inside the folder of releases is kept relative, so that the folder can move.
    python = layout.root / binding.python
    return [str(python), str(layout.runtimes / binding.runtime)]


def environment() -> dict[str, str]:
    """Return the environment of processes that load a model."""
    values = dict(os.environ, ORT_DISABLE_TELEMETRY="1", PYTHONUNBUFFERED="1")
    # A server outlives the command that started it and the command's temporary folder.
    # And a token in the studio's own environment is not one for this server.
    foreign = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "TMPDIR", "MPLCONFIGDIR")
    for name in (*foreign, VARIABLE, PROVIDERS):
        values.pop(name, None)
    return values


def _read(path: Path) -> dict[str, object]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
