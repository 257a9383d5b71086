"""Executors that were opened, one session for each address."""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from studio.api import (
    Executor,
    ExecutorSession,
    Extension,
    Permission,
    StudioError,
    Unavailable,
    UsageError,
)
from studio.features.spread.parcel import Packer
from studio.features.spread.remote_worker import RemoteWorker
from studio.jobs.cleanup import new_folder
from studio.jobs.sandbox import Containment, Sandbox, environment
from studio.plugin_host import PluginHost
from studio.settings import Paths

log = logging.getLogger(__name__)

_NEEDS = frozenset({Permission.NETWORK})


class Executors:
    """The sessions of one runner of jobs; made for the first job that needs one.

    Args:
        readable: What every worker here may read, the store first.
        containment: Returns the sandbox of programs that executors start here.
    """

    def __init__(
        self, paths: Paths, readable: Sequence[Path], containment: Callable[[], Containment]
    ) -> None:
        self._paths, self._containment = paths, containment
        self._readable = tuple(readable)
        self._folders: list[Path] = []
        self._sessions: dict[str, ExecutorSession] = {}
        self._packer: Packer | None = None
        self._lock = threading.Lock()

    def worker(self, address: str, folder: Path) -> RemoteWorker:
        """Return a worker for one job.

        Args:
            folder: Of the job here, which does not exist yet.

        Raises:
            UsageError: when no executor has such an address.
            StudioError: when it cannot be opened.
        """
        with self._lock:
            if address not in self._sessions:
                self._sessions[address] = executor_for(address).open(address, self._start_program)
            if self._packer is None:
                scratch = Path(tempfile.mkdtemp(prefix="edgewright-inputs-"))
                self._packer = Packer(self._readable, scratch)
            return RemoteWorker(self._sessions[address], self._packer, folder)

    def close(self) -> None:
        """Close every session."""
        with self._lock:
            for address, session in self._sessions.items():
                try:
                    session.close()
                except StudioError as error:
                    log.warning("%s was not closed: %s", address, error.message)
            self._sessions.clear()
            for folder in self._folders:
                shutil.rmtree(folder, ignore_errors=True)
            if self._packer is not None:
                shutil.rmtree(self._packer.scratch, ignore_errors=True)
                self._packer = None

    def _start_program(
        self, command: Sequence[str], reads: Sequence[Path], variables: Mapping[str, str]
    ) -> subprocess.Popen[bytes]:
        """Start a program of an executor; see ``ProgramStart``."""
        containment = self._containment()
        if not containment.protects_files:
            raise Unavailable(
                "Answers of this executor can run code, and this machine has no sandbox for it.",
                hint="studio doctor shows what is missing. Install bubblewrap, or turn the setting "
                "sandbox on.",
            )
        folder = new_folder(self._paths.jobs)
        folder.mkdir(parents=True)
        self._folders.append(folder)
        return Sandbox(containment, folder, tuple(reads), _NEEDS).start(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**environment(self._paths, folder, _NEEDS), **variables},
            start_new_session=True,
        )


def executor_for(address: str) -> Executor:
    """Return the executor that an address belongs to.

    Raises:
        UsageError: when no executor answers for it.
    """
    host = PluginHost.again()
    found = host.all(Extension.EXECUTOR)
    scheme, colon, _ = address.partition(":")
    for capability in found:
        if colon and scheme in capability.schemes:
            executor: Executor = host.create(capability)
            return executor
    known = ", ".join(f"{one}:" for capability in found for one in capability.schemes)
    raise UsageError(f"--on {address}: no executor has such an address.", hint=f"Known: {known}.")
