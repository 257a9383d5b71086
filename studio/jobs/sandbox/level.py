"""How well this machine contains a worker: a level, and what is and is not taken, one by one."""

from __future__ import annotations

import enum
import functools
import os
import subprocess
import sys
from collections.abc import Sequence

from studio.jobs.sandbox import confine
from studio.jobs.sandbox.bubblewrap import PROBE_SECONDS, Bubblewrap, working_bubblewrap
from studio.jobs.sandbox.filter import program_for
from studio.lazy_dataclass import dataclass

_NO_TRUNCATION = 3
"""The first version of Landlock in which files that may not be written cannot be emptied."""


class SandboxLevel(enum.Enum):
    """The level of isolation of a worker that parses or runs a model."""

    FULL = "full"
    PARTLY = "partly"
    LIMITS = "limits only"


class Enforcement(enum.Enum):
    """The degree to which the kernel enforces a protection."""

    FULLY = "enforced"
    PARTLY = "partly enforced"
    NOT = "not enforced"


@dataclass(frozen=True, slots=True)
class Protection:
    """One thing that is taken from a worker, or not."""

    name: str
    enforced: Enforcement
    text: str


@dataclass(frozen=True, slots=True)
class Containment:
    """The isolation of workers on this machine.

    Attributes:
        means: What enforces it (``bubblewrap with a user namespace``).
        bubblewrap: Set at the level FULL.
        abi: Version of Landlock that is used at the level PARTLY; 0: none.
    """

    level: SandboxLevel
    means: str
    protections: tuple[Protection, ...]
    bubblewrap: Bubblewrap | None = None
    abi: int = 0

    @property
    def value(self) -> str:
        """The level in words."""
        return self.level.value

    @property
    def is_closed(self) -> bool:
        """Whether code of a stranger neither reaches the network nor changes the user's files."""
        enforced = {one.name: one.enforced for one in self.protections}
        return self.protects_files and enforced["network"] is Enforcement.FULLY

    @property
    def protects_files(self) -> bool:
        """Whether code of a stranger neither reads nor changes the content of the user's files."""
        return self.bubblewrap is not None or self.abi >= _NO_TRUNCATION

    @property
    def explanation(self) -> str:
        """One or two sentences for the window: the mechanism, and what is missing."""
        if self.level is SandboxLevel.LIMITS:
            return (
                "Workers have resource limits only. Install bubblewrap to block their network "
                "and home folder."
            )
        text = f"Workers run in a sandbox: {self.means}."
        lacking = [one.name for one in self.protections if one.enforced is not Enforcement.FULLY]
        if not lacking:
            return f"{text} No network, no home folder, read-only disk."
        return f"{text} Not fully enforced: {', '.join(lacking)}; see studio doctor."


NONE = Containment(
    SandboxLevel.LIMITS,
    "nothing",
    tuple(
        Protection(name, Enforcement.NOT, text)
        for name, text in (
            ("files", "A worker can read and change your files."),
            ("network", "A worker can use the network and local sockets."),
            ("processes", "A worker can see and end your other processes."),
            ("calls", "No system call is refused."),
            ("privileges", "A worker has your capabilities."),
        )
    ),
)
"""Where nothing works, or the user switched the sandbox off."""


@functools.cache
def containment() -> Containment:
    """Return the best that works on this machine, found by trying."""
    bubblewrap = working_bubblewrap()
    if bubblewrap is not None:
        return by_bubblewrap(bubblewrap)
    for abi in _versions():
        policy = confine.Policy(abi, ("/",), calls=program_for(frozenset(), sees_sockets=True))
        # The kernel may refuse a version that it reports, so each policy is tried.
        if (abi or policy.calls) and _works(policy):
            return by_kernel(abi, filtered=bool(policy.calls))
    return NONE


def by_bubblewrap(bubblewrap: Bubblewrap) -> Containment:
    """Return the isolation by bubblewrap."""
    filtered = bool(program_for(frozenset(), sees_sockets=False))
    if bubblewrap.user_namespace:
        means = "bubblewrap with a user namespace"
        privileges = Protection(
            "privileges", Enforcement.FULLY, "No capabilities, and none can be gained."
        )
    else:
        means = "bubblewrap without a user namespace"
        privileges = Protection(
            "privileges",
            Enforcement.PARTLY,
            "No capabilities, but visible files are read as root (user namespaces are disabled).",
        )
    return Containment(
        SandboxLevel.FULL,
        means,
        (
            Protection(
                "files",
                Enforcement.FULLY,
                "A few system folders and the job's inputs, read-only, and the job's own folder.",
            ),
            Protection(
                "network", Enforcement.FULLY, "An isolated network without external access."
            ),
            Protection("processes", Enforcement.FULLY, "Only its own processes are visible."),
            _calls(filtered),
            privileges,
        ),
        bubblewrap,
    )


def by_kernel(abi: int, *, filtered: bool) -> Containment:
    """Return the isolation by Landlock of a version and the call filter, without namespaces."""
    means = [f"Landlock (version {abi})"] * bool(abi) + ["a filter of system calls"] * filtered
    return Containment(
        SandboxLevel.PARTLY,
        " and ".join(means),
        (
            _files(abi),
            _network(abi, filtered),
            _processes(abi),
            _calls(filtered),
            Protection("privileges", Enforcement.FULLY, "No capabilities, and none can be gained."),
        ),
        abi=abi,
    )


def _files(abi: int) -> Protection:
    if not abi:
        return Protection("files", Enforcement.NOT, "A worker can read and change your files.")
    text = (
        "Only listed files can be opened, and only the job's own folder is writable. "
        "Names and sizes of other files are visible, and modes and times of your "
        "files can be changed"
    )
    if abi < _NO_TRUNCATION:
        text += "; your files can be truncated"
    return Protection("files", Enforcement.PARTLY, f"{text}.")


def _network(abi: int, filtered: bool) -> Protection:
    if filtered:
        return Protection("network", Enforcement.FULLY, "No sockets.")
    if abi >= 4:
        return Protection(
            "network", Enforcement.PARTLY, "No TCP; other sockets, also of this machine, work."
        )
    return Protection("network", Enforcement.NOT, "A worker can use the network.")


def _processes(abi: int) -> Protection:
    if not abi:
        text = "A worker can see and end your other processes."
        return Protection("processes", Enforcement.NOT, text)
    text = "Memory and files of other processes are not accessible, their command lines are"
    if abi < 6:
        text += "; it can end your other processes"
    return Protection("processes", Enforcement.PARTLY, f"{text}.")


def _calls(filtered: bool) -> Protection:
    if filtered:
        return Protection("calls", Enforcement.FULLY, "Dangerous system calls are blocked.")
    text = f"No system call filter for this processor ({os.uname().machine})."
    return Protection("calls", Enforcement.NOT, text)


def _versions() -> Sequence[int]:
    """Return the versions of Landlock to try: the kernel's, as far as tested; then none."""
    offered = min(confine.landlock_abi(), confine.TESTED_ABI)
    return (offered, 0) if offered >= confine.OLDEST_ABI else (0,)


def launcher(policy: confine.Policy) -> list[str]:
    """Return the arguments that confine a command with the kernel alone."""
    return [sys.executable, "-I", "-S", "-B", confine.__file__, policy.to_json()]


def _works(policy: confine.Policy) -> bool:
    try:
        done = subprocess.run(
            [*launcher(policy), "true"], capture_output=True, timeout=PROBE_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
