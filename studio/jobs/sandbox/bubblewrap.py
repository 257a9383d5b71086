"""Walls by bubblewrap: namespaces, an empty disk with what is needed, no capability, a filter."""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from studio.api import Permission
from studio.jobs.sandbox.view import View
from studio.lazy_dataclass import dataclass

PROBE_SECONDS = 5.0

_NOBODY = "65534"
_KERNEL_SETTINGS = ("sys", "sysrq-trigger", "irq", "bus", "fs", "acpi", "scsi", "driver", "tty")
"""Of ``/proc``. They belong to root, whose files they are without any capability, too."""

_TEMPORARY_BYTES = str(256 << 20)
"""Most memory that files in ``/tmp`` and shared memory take; the job's own folder is on a disk."""


@dataclass(frozen=True, slots=True)
class Bubblewrap:
    """The program, as far as it works here.

    Attributes:
        offers: Its options; older versions lack some.
        user_namespace: Whether the command gets a namespace and runs as nobody. Without it the
            system's root stays root, with no capability.
    """

    program: str
    offers: frozenset[str]
    user_namespace: bool

    def works(self) -> bool:
        """Return whether it can make its walls on this machine, found by trying."""
        trial = self.arguments(View.of(["/usr", "/bin", "/lib", "/lib64"]), None, frozenset())
        try:
            done = subprocess.run(
                [*trial, "true"], capture_output=True, timeout=PROBE_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    def arguments(
        self, view: View, folder: Path | None, needs: frozenset[Permission], filter_from: int = -1
    ) -> list[str]:
        """Return the arguments that start a command in the sandbox.

        Args:
            folder: The one place that can be written to, in which the command begins.
            filter_from: Descriptor from which the filter of system calls is read; -1: none.
        """
        made = [self.program, *self._namespaces(needs), "--cap-drop", "ALL"]
        made += ["--dev", "/dev", "--proc", "/proc"]
        for part in _KERNEL_SETTINGS:
            made += ["--ro-bind-try", f"/proc/{part}", f"/proc/{part}"]
        for place in ("/tmp", "/dev/shm"):
            made += self._temporary(place)
        for place in view.places:
            made += ["--ro-bind-try", place, place]
        for link, target in view.links.items():
            made += ["--symlink", target, link]
        if folder is not None:
            made += ["--bind", str(folder), str(folder), "--chdir", str(folder)]
        # After all mounts, as bubblewrap creates their mount points in the root.
        made += ["--remount-ro", "/"]
        if filter_from >= 0:
            made += ["--seccomp", str(filter_from)]
        return [*made, "--"]

    def _namespaces(self, needs: frozenset[Permission]) -> list[str]:
        made = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
        if Permission.NETWORK not in needs:
            made.append("--unshare-net")
        if self.user_namespace:
            made.append("--unshare-user")
            if "--disable-userns" in self.offers:
                made.append("--disable-userns")
            if os.geteuid() == 0:
                # Without this the command would still be root inside its namespace.
                made += ["--uid", _NOBODY, "--gid", _NOBODY]
        return made

    def _temporary(self, place: str) -> Sequence[str]:
        size = ["--size", _TEMPORARY_BYTES] if "--size" in self.offers else []
        return [*size, "--tmpfs", place]


@functools.cache
def working_bubblewrap() -> Bubblewrap | None:
    """Return the strongest that works on this machine; None where none does."""
    program = shutil.which("bwrap")
    if program is None:
        return None
    offers = _options(program)
    kinds = (True, False) if os.geteuid() == 0 else (True,)
    tried = (Bubblewrap(program, offers, user_namespace=kind) for kind in kinds)
    return next((one for one in tried if one.works()), None)


def _options(program: str) -> frozenset[str]:
    try:
        said = subprocess.run(
            [program, "--help"], capture_output=True, text=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(re.findall(r"^ +(--[a-z-]+)", said.stdout + said.stderr, re.MULTILINE))
