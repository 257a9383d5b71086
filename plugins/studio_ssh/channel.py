"""A channel to a board: commands, files and forwarded ports over one SSH connection."""

from __future__ import annotations

import contextlib
import select
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import paramiko

from studio.api import MOST_OUTPUT, Completed, Progress, TargetError
from studio_ssh import connection
from studio_ssh import watchdog as dogs
from studio_ssh.connection_loss import LOST, finish, hang_up, hanging_up
from studio_ssh.hostkey import HostKey
from studio_ssh.transfer import download, upload
from studio_ssh.tunnel import SshTunnel
from studio_ssh.watchdog import Watchdog

_CHUNK = 1 << 16
_LOOK_S = 0.5
_NO_STATUS = -1
"""Also that of a command which a signal has ended, but then its output has an end."""


class SshChannel:
    """Channel to a board over SSH."""

    def __init__(self, transport: paramiko.Transport, name: str) -> None:
        self._transport = transport
        self._name = name
        self._sftp: paramiko.SFTPClient | None = None
        self._tunnels: list[SshTunnel] = []

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] = b"",
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        patience_s = dogs.COMMAND_S if isinstance(stdin, bytes) else dogs.TRANSFER_S
        with Watchdog(self._transport, patience_s) as watchdog:
            try:
                session = self._transport.open_session(timeout=connection.HANDSHAKE_S)
                with hanging_up(session):
                    feeder = _Feeder(session, stdin)
                    listener = _Conversation(session, on_line, time.monotonic() + timeout)
                    return self._converse(argv, feeder, listener, watchdog)
            except TimeoutError:
                raise TargetError(
                    f"{argv[0]} on {self._name} did not end within {timeout:g} s."
                ) from None
            except _TooMuch:
                limit = f"{MOST_OUTPUT >> 20} MB"
                raise TargetError(
                    f"{argv[0]} on {self._name} said more than {limit} and was ended."
                ) from None
            except LOST as error:
                raise self._lost(error, watchdog.barked) from None

    def put(self, source: Path, target: str, progress: Progress | None = None) -> None:
        upload(self._files(), self._transport, source, target, progress, self)

    def get(self, source: str, target: Path) -> None:
        download(self._files(), self._transport, source, target, self._name)

    def forward(self, port: int) -> SshTunnel:
        tunnel = SshTunnel(self._transport, port)
        self._tunnels.append(tunnel)
        return tunnel

    def close(self) -> None:
        for tunnel in self._tunnels:
            tunnel.close()
        if self._sftp is not None:
            hang_up(self._sftp)
        self._transport.close()

    @property
    def transport(self) -> paramiko.Transport:
        """Transport of the connection."""
        return self._transport

    @property
    def name(self) -> str:
        """The board's address, for sentences."""
        return self._name

    @property
    def identity(self) -> tuple[str, ...]:
        """The host key, and the address and port where no jump host is before it."""
        key = str(HostKey.of(self._transport.get_remote_server_key()))
        if not isinstance(self._transport.sock, socket.socket):
            return (key,)
        return (key, " ".join(map(str, self._transport.sock.getpeername()[:2])))

    def _converse(
        self,
        argv: Sequence[str],
        feeder: _Feeder,
        listener: _Conversation,
        watchdog: Watchdog,
    ) -> Completed:
        """Run the command of a session to its end."""
        session = feeder.session
        # The far side always has a shell read the command; quoting leaves it nothing to expand.
        session.exec_command(shlex.join(argv))
        threading.Thread(target=feeder.run, daemon=True).start()
        out, err = listener.listen(watchdog)
        if feeder.failure is not None:
            raise feeder.failure
        if session.exit_status == _NO_STATUS and not session.eof_received:
            raise EOFError
        return Completed(session.exit_status, out, err)

    def _files(self) -> paramiko.SFTPClient:
        if self._sftp is None:
            try:
                with Watchdog(self._transport):
                    self._sftp = paramiko.SFTPClient.from_transport(self._transport)
            except LOST as error:
                if self._transport.is_active():
                    raise TargetError(
                        f"{self._name} takes no files (its SSH server has no SFTP).",
                        hint="Enable the sftp subsystem in its sshd_config.",
                    ) from None
                raise self._lost(error) from None
        assert self._sftp is not None
        return self._sftp

    def _lost(self, error: BaseException | None, why: str = "") -> TargetError:
        return TargetError(
            f"The connection to {self._name} was lost{f' ({why})' if why else ''}.",
            hint="Repeat the command; what was done is kept.",
            detail=f"{type(error).__name__}: {error}" if error else "",
        )


class _Feeder:
    """Thread that writes a command's input while its output is read, as either window may fill.

    Attributes:
        failure: Why the pieces of the input could not be had.
    """

    def __init__(self, session: paramiko.Channel, content: bytes | Iterable[bytes]) -> None:
        self.failure: Exception | None = None
        self.session = session
        self._pieces = iter((content,)) if isinstance(content, bytes) else iter(content)

    def run(self) -> None:
        """Write until the end; a command may exit before it has read all input."""
        with contextlib.suppress(*LOST):
            while (piece := self._next()) is not None:
                if piece:
                    self.session.sendall(piece)
            finish(self.session)

    def _next(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except Exception as error:  # reported by the thread that waits
            self.failure = error
            return None


class _TooMuch(Exception):
    """A command writes without end."""


class _Conversation:
    """Reads what a command writes until it ends."""

    def __init__(
        self, session: paramiko.Channel, on_line: Callable[[str], None] | None, deadline: float
    ) -> None:
        self._session = session
        self._on_line = on_line
        self._deadline = deadline
        self._out, self._err = bytearray(), bytearray()
        self._told = 0

    def listen(self, watchdog: Watchdog) -> tuple[bytes, bytes]:
        """Read both outputs.

        Raises:
            TimeoutError: when the time is up.
            _TooMuch: when one of them is larger than a channel keeps.
        """
        session = self._session
        while not (session.closed or (session.eof_received and session.exit_status_ready())):
            if time.monotonic() > self._deadline:
                raise TimeoutError
            watchdog.touch()  # a silent command is no dead link; the deadline bounds it
            select.select([session], [], [], _LOOK_S)
            self._drain()
        self._drain()
        self._emit_lines(final=True)
        return bytes(self._out), bytes(self._err)

    def _drain(self) -> None:
        while self._session.recv_ready() and len(self._out) <= MOST_OUTPUT:
            self._out += self._session.recv(_CHUNK)
        while self._session.recv_stderr_ready() and len(self._err) <= MOST_OUTPUT:
            self._err += self._session.recv_stderr(_CHUNK)
        if max(len(self._out), len(self._err)) > MOST_OUTPUT:
            raise _TooMuch
        self._emit_lines()

    def _emit_lines(self, *, final: bool = False) -> None:
        if self._on_line is None:
            return
        end = len(self._out) if final else self._out.rfind(b"\n") + 1
        fresh = bytes(self._out[self._told : end])
        self._told = max(self._told, end)
        for line in fresh.splitlines():
            self._on_line(line.decode("utf-8", "replace"))
