"""How well this machine contains a worker: a level, and what is and is not taken, one by one."""

from __future__ import annotations

import enum
import functools
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from studio.jobs.sandbox import confine
from studio.jobs.sandbox.bubblewrap import PROBE_SECONDS, Bubblewrap, working_bubblewrap
from studio.jobs.sandbox.filter import program_for


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
    def explanation(self) -> str:
        """One or two sentences for the window: the mechanism, and what is missing."""
        if self.level is SandboxLevel.LIMITS:
            return (
                "Workers have limits alone; install bubblewrap to take network and home from them."
            )
        text = f"Workers are contained by {self.means}."
        lacking = [one.name for one in self.protections if one.enforced is not Enforcement.FULLY]
        if not lacking:
            return f"{text} They have no network, no home folder and a read-only disk."
        return f"{text} Not fully enforced: {', '.join(lacking)}; studio doctor says more."


NONE = Containment(
    SandboxLevel.LIMITS,
    "nothing",
    tuple(
        Protection(name, Enforcement.NOT, text)
        for name, text in (
            ("files", "A worker reads and changes what you can."),
            ("network", "A worker reaches the network and the sockets of this machine."),
            ("processes", "A worker sees your other processes and can end them."),
            ("calls", "No system call is refused."),
            ("privileges", "A worker has yours."),
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
            "privileges", Enforcement.FULLY, "No capability, and no way to get one."
        )
    else:
        means = "bubblewrap without a user namespace"
        privileges = Protection(
            "privileges",
            Enforcement.PARTLY,
            "No capability, but what it sees it reads as the system's root (user namespaces are "
            "switched off).",
        )
    return Containment(
        SandboxLevel.FULL,
        means,
        (
            Protection(
                "files",
                Enforcement.FULLY,
                "A short list of the system's folders and what the job was given, read-only; the "
                "job's own folder.",
            ),
            Protection("network", Enforcement.FULLY, "A network of its own without a way out."),
            Protection("processes", Enforcement.FULLY, "It sees none but its own."),
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
            Protection("privileges", Enforcement.FULLY, "No capability, and no way to get one."),
        ),
        abi=abi,
    )


def _files(abi: int) -> Protection:
    if not abi:
        return Protection("files", Enforcement.NOT, "A worker reads and changes what you can.")
    text = (
        "Only the files of a short list can be opened, and only the job's own folder written to. "
        "Names and sizes of other files can be asked for, and modes and times of yours changed"
    )
    if abi < 3:
        text += "; files of yours can be emptied"
    return Protection("files", Enforcement.PARTLY, f"{text}.")


def _network(abi: int, filtered: bool) -> Protection:
    if filtered:
        return Protection("network", Enforcement.FULLY, "No socket can be made.")
    if abi >= 4:
        return Protection(
            "network", Enforcement.PARTLY, "No TCP; other sockets, also of this machine, work."
        )
    return Protection("network", Enforcement.NOT, "A worker reaches the network.")


def _processes(abi: int) -> Protection:
    if not abi:
        text = "A worker sees your other processes and can end them."
        return Protection("processes", Enforcement.NOT, text)
    text = "Memory and files of other processes are closed to it, their command lines are not"
    if abi < 6:
        text += "; it can end your other processes"
    return Protection("processes", Enforcement.PARTLY, f"{text}.")


def _calls(filtered: bool) -> Protection:
    if filtered:
        return Protection("calls", Enforcement.FULLY, "Dangerous system calls are refused.")
    text = f"There is no filter for this processor ({os.uname().machine})."
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
