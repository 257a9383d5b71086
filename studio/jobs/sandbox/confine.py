"""A command confined by the kernel's Landlock, a filter of calls and the loss of its capabilities.

For machines on which bubblewrap is missing or may not make namespaces. A process confines itself,
which cannot be undone, and becomes the command:

    python -I -S confine.py POLICY COMMAND...

This file runs by itself before the command's own Python, so it imports the standard library
alone. It does all of what the policy says, or does not start the command.
"""

from __future__ import annotations

import ctypes
import json
import os
import struct
import sys
from typing import NamedTuple

FAILED = 125
"""Exit status when the command was not started because it could not be confined."""

TESTED_ABI = 7
"""The newest Landlock that was tried. What a newer one could do besides is not asked for."""

OLDEST_ABI = 2
"""Before it no file could be moved from one folder to another, not even within the job's."""

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all processors
_VERSION, _PATH_BENEATH = 1, 1
_NO_NEW_PRIVILEGES, _DROP_BOUNDING, _AMBIENT, _SECCOMP = 38, 24, 47, 22  # of prctl
_CLEAR_ALL, _FILTER = 4, 2
_CAPABILITY_VERSION_3 = 0x20080522

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_CHANGE_FOLDER = sum(1 << bit for bit in range(4, 13))  # remove and make entries of all kinds
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
_BIND_TCP, _CONNECT_TCP = 1 << 0, 1 << 1
_ABSTRACT_SOCKETS, _SIGNALS = 1 << 0, 1 << 1

_READ = _EXECUTE | _READ_FILE | _READ_DIR
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL_DEVICE
_BY_ABI = {2: _REFER, 3: _TRUNCATE, 5: _IOCTL_DEVICE}

DEVICES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom")


class ConfinementError(Exception):
    """The kernel refused a rule of the policy."""


class Policy(NamedTuple):
    """The permissions of a command; no dataclass, whose import takes longer than the rest.

    Attributes:
        abi: Version of Landlock whose rights are taken; 0: Landlock is left out.
        reads: Files and folders that may be read and run.
        writes: Folders in which everything may be done.
        network: Whether TCP is left alone.
        calls: The filter of system calls; empty: none.
    """

    abi: int
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    network: bool = False
    calls: bytes = b""

    def to_json(self) -> str:
        """As the one argument that the launcher takes."""
        return json.dumps([*self[:-1], self.calls.hex()])

    @classmethod
    def from_json(cls, text: str) -> Policy:
        """Return the policy from the document of ``to_json``."""
        abi, reads, writes, network, calls = json.loads(text)
        return cls(abi, tuple(reads), tuple(writes), network, bytes.fromhex(calls))


def landlock_abi() -> int:
    """Return this kernel's version of Landlock; 0 when it is missing or disabled."""
    try:
        return max(0, int(_libc().syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION)))
    except (OSError, AttributeError):
        return 0


def file_rights(abi: int) -> int:
    """Return all rights to files that a version knows."""
    rights = _READ | _WRITE_FILE | _CHANGE_FOLDER
    return rights | sum(right for since, right in _BY_ABI.items() if abi >= since)


def confine(policy: Policy) -> None:
    """Confine this process and all that it starts.

    Raises:
        ConfinementError: when the kernel refuses a rule; the process must end.
    """
    libc = _libc()
    ruleset = _ruleset(libc, policy) if policy.abi else -1
    _drop_capabilities(libc)
    _check(libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no_new_privs")
    if ruleset >= 0:
        _check(libc.syscall(_RESTRICT_SELF, ruleset, 0), "landlock_restrict_self")
        os.close(ruleset)
    if policy.calls:
        _filter(libc, policy.calls)


def _ruleset(libc: ctypes.CDLL, policy: Policy) -> int:
    handled = file_rights(policy.abi)
    tcp = _BIND_TCP | _CONNECT_TCP if policy.abi >= 4 and not policy.network else 0
    scopes = _ABSTRACT_SOCKETS | _SIGNALS if policy.abi >= 6 else 0
    size = 24 if policy.abi >= 6 else 16 if policy.abi >= 4 else 8
    attributes = struct.pack("<QQQ", handled, tcp, scopes)[:size]
    made = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(size), 0)
    _check(made, "landlock_create_ruleset")
    for path in policy.reads:
        _allow(libc, made, path, _READ & handled)
    for path in DEVICES:
        _allow(libc, made, path, (_READ_FILE | _WRITE_FILE | _TRUNCATE) & handled)
    for path in policy.writes:
        _allow(libc, made, path, handled)
    return int(made)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    """Give rights to a file or to all of a folder; what is not there needs none."""
    try:
        opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _OF_FILES
        rule = struct.pack("<Qi", rights, opened)
        _check(libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0), f"a rule for {path}")
    finally:
        os.close(opened)


def _drop_capabilities(libc: ctypes.CDLL) -> None:
    """Drop the capabilities of this process and of the programs that it starts."""
    libc.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    if os.geteuid() == 0:
        for capability in range(64):
            libc.prctl(_DROP_BOUNDING, capability, 0, 0, 0)  # refused for those that do not exist
    header = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0)
    _check(libc.capset(header, bytes(24)), "capset")


def _filter(libc: ctypes.CDLL, calls: bytes) -> None:
    instructions = ctypes.create_string_buffer(calls, len(calls))
    address = ctypes.addressof(instructions)
    program = struct.pack("<HxxxxxxQ", len(calls) // 8, address)
    _check(libc.prctl(_SECCOMP, _FILTER, program, 0, 0), "seccomp")


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result < 0:
        raise ConfinementError(f"{what}: {os.strerror(ctypes.get_errno())}")


def main(arguments: list[str]) -> int:
    """Become the command, confined."""
    policy, *command = arguments
    try:
        confine(Policy.from_json(policy))
        os.execvp(command[0], command)
    except (ConfinementError, OSError) as error:
        sys.stderr.write(f"The command was not started: {error}.\n")
        return FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
