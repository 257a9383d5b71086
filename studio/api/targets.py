"""Places where a model can run, and the channel through which one is reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from types import TracebackType
from typing import Protocol

from studio.api.progress import Progress
from studio.lazy_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class TargetSpec:
    """A target as the user added it.

    Attributes:
        url: ``local:``, ``ssh://user@host:port`` ...; never holds a secret.
        host_key: The confirmed key (``"ssh-ed25519 AAAA..."``), empty before the first contact.
        settings: Values of the connector's own options (a key file's path, a folder).
        endpoint_name: Of an endpoint beside the target's own, which then stands in ``name`` too
            (``bench-pi/door``); empty for the target itself.
    """

    name: str
    url: str
    host_key: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    endpoint_name: str = ""


MOST_OUTPUT = 64 << 20
"""Bytes of each output that a channel keeps of one command; one that says more is ended."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The end of a remote command: exit status, and what it wrote."""

    status: int
    stdout: bytes
    stderr: bytes

    @property
    def text(self) -> str:
        """Standard output as text."""
        return self.stdout.decode("utf-8", "replace")


class Tunnel(Protocol):
    """A local address whose connections come out at the target's own loopback."""

    host: str
    port: int

    def __enter__(self) -> Tunnel: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    def close(self) -> None:
        """Stop forwarding."""


class Channel(Protocol):
    """An open connection to a machine: commands, files, forwarded ports. Not thread-safe."""

    def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes | Iterable[bytes] = b"",
        timeout: float = 60.0,
        on_line: Callable[[str], None] | None = None,
    ) -> Completed:
        """Run a command without a shell's expansion and wait for its end.

        Args:
            stdin: What the command reads, at once or piece by piece. Pieces are asked for in a
                thread of their own, as fast as the target takes them.
            on_line: Called with each line of standard output as it comes.

        Raises:
            TargetError: when the connection is lost, the time is up, or it says more than
                ``MOST_OUTPUT``.
        """

    def put(self, source: Path, target: str, progress: Progress | None = None) -> None:
        """Copy a local file to an absolute path on the target, whole or not at all.

        Raises:
            TargetError: in one sentence (no room, no permission, connection lost).
        """

    def get(self, source: str, target: Path) -> None:
        """Copy a file from the target."""

    def forward(self, port: int) -> Tunnel:
        """Open a way to a TCP port on the target's loopback."""

    def close(self) -> None:
        """End the connection."""


@dataclass(frozen=True, slots=True)
class TargetFacts:
    """What is known of a machine, read by plain commands.

    Attributes:
        arch: As ``uname -m`` says (``x86_64``, ``aarch64``).
        python: Version of its python3, empty where there is none.
        python_path: Absolute path of that interpreter.
        glibc: Version of its C library, empty for musl.
        runtimes: Version of each runtime its python3 can import (``{"onnxruntime": "1.23.2"}``).
        accelerators: Names of what was found (``CUDA 12.6``, ``Coral Edge TPU``).
        services: What would start a server again at boot: ``systemd`` (for root), and
            ``systemd-user`` where the login's own systemd is started at boot,
            ``systemd-login`` where it will do that runs while its user is logged in; or empty.
        root: Folder in which the studio's releases are kept.
        board_id: Its kind in the studio's catalogue of boards (``raspberry-pi-5``).
        image: The system by its maker's name (``JetPack 6.1 (L4T R36.4.0)``), where it has one.
        features: Instructions that matter to a model (``dot product``, ``AVX-512 VNNI``).
        cpu_mhz: The fastest clock that its processor allows.
        temperature_c: The hottest sensor of the processor, degrees; None where none can be read.
        power_mode: A Jetson's mode, and the governor of the clocks.
        libraries: Versions of what its accelerators need (``{"TensorRT": "10.3.0"}``).
        cameras: Name and device of each.
        identity: Its host key, and the address to which the connection went.
        is_marked: It has the mark of a protected board.
        notes: What makes its figures doubtful (``it was throttled since it started``).
    """

    name: str
    url: str
    arch: str = ""
    os: str = ""
    kernel: str = ""
    python: str = ""
    python_path: str = ""
    glibc: str = ""
    runtimes: Mapping[str, str] = field(default_factory=dict)
    memory_mb: int = 0
    disk_free_mb: int = 0
    cpus: int = 0
    cpu: str = ""
    accelerators: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    board: str = ""
    clock_skew_s: float = 0.0
    root: str = ""
    board_id: str = ""
    image: str = ""
    features: tuple[str, ...] = ()
    cpu_mhz: int = 0
    memory_free_mb: int = 0
    disk_total_mb: int = 0
    temperature_c: float | None = None
    power_mode: str = ""
    libraries: Mapping[str, str] = field(default_factory=dict)
    cameras: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    is_marked: bool = False
