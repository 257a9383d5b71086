"""The walls around one command, by whatever this machine offers."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from studio.api import Permission
from studio.jobs.sandbox.confine import Policy
from studio.jobs.sandbox.environment import contained
from studio.jobs.sandbox.filter import program_for
from studio.jobs.sandbox.level import Containment, SandboxLevel, launcher
from studio.jobs.sandbox.view import view_for
from studio.lazy_dataclass import dataclass

_KERNEL_FILES = ("/proc",)
"""Landlock hides no other process there; a new view of processes is for namespaces."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The files, network and calls that one command may use.

    Attributes:
        containment: What enforces it; at the level LIMITS nothing does.
        folder: The one place that can be written to.
        reads: Readable files and folders in addition to the system's and the studio's own.
        needs: The network is left to a command that has this permission. One that needs the home,
            secrets or processes has no walls.
    """

    containment: Containment
    folder: Path
    reads: tuple[Path, ...] = ()
    needs: frozenset[Permission] = frozenset()

    @property
    def is_closed(self) -> bool:
        """Whether the command neither reaches the network nor changes files of the user."""
        is_walled = contained(self.needs) and Permission.NETWORK not in self.needs
        return is_walled and self.containment.is_closed

    @contextmanager
    def around(self, command: Sequence[str]) -> Iterator[SandboxedCommand]:
        """The command behind these walls, to be started while the context lasts."""
        if not contained(self.needs):
            yield SandboxedCommand(list(command))
        elif self.containment.bubblewrap is not None:
            with _readable(program_for(self.needs, sees_sockets=False)) as descriptor:
                before = self.containment.bubblewrap.arguments(
                    view_for(self.reads, self.needs), self.folder, self.needs, descriptor
                )
                yield SandboxedCommand(
                    [*before, *command], (descriptor,) if descriptor >= 0 else ()
                )
        elif self.containment.level is SandboxLevel.PARTLY:
            yield SandboxedCommand([*launcher(self._policy()), *command])
        else:
            yield SandboxedCommand(list(command))

    def start(self, command: Sequence[str], **options: Any) -> subprocess.Popen[bytes]:
        """Start the command behind these walls; the options are those of ``Popen``."""
        with self.around(command) as walled:
            return subprocess.Popen(walled.command, pass_fds=walled.descriptors, **options)

    def _policy(self) -> Policy:
        view = view_for(self.reads, self.needs)
        return Policy(
            self.containment.abi,
            (*view.places, *_KERNEL_FILES),
            (str(self.folder),),
            Permission.NETWORK in self.needs,
            program_for(self.needs, sees_sockets=True),
        )


@dataclass(frozen=True, slots=True)
class SandboxedCommand:
    """A command with what was put before it.

    Attributes:
        descriptors: What it has to inherit (``pass_fds``).
    """

    command: list[str]
    descriptors: tuple[int, ...] = ()


@contextmanager
def _readable(content: bytes) -> Iterator[int]:
    """A descriptor from which the content can be read once; -1 for none."""
    if not content:
        yield -1
        return
    # Closed in other children; the sandboxed command inherits it through ``pass_fds``.
    descriptor = os.memfd_create("filter", os.MFD_CLOEXEC)
    try:
        os.write(descriptor, content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)
