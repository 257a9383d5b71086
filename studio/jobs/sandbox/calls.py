"""Which system calls a walled command may not make: one table of call, error and reason.

What the table does not name is allowed. It is as of November 2026 (Linux 6.18): calls that are
newer have to be looked at. Each row has its test in ``tests/unit/jobs/sandbox``.

A call that a library has another way for gets ENOSYS: glibc then makes threads with ``clone``
instead of ``clone3``, whose flags no filter can read.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping

from studio.api import Permission
from studio.lazy_dataclass import dataclass

_AF_UNIX, _AF_INET, _AF_INET6, _AF_NETLINK = 1, 2, 10, 16
_NEW_NAMESPACES = 0x7E020000  # CLONE_NEWNS, CGROUP, UTS, IPC, USER, PID, NET
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_ASKS_ONLY = 0xFFFFFFFF  # of personality


@dataclass(frozen=True, slots=True)
class ArgumentCondition:
    """A condition on the low 32 bits of an argument, under which a call is refused.

    Attributes:
        argument: Its number, from 0.
        bits: Refused when any of these is set; 0: not looked at.
        among: Refused when it is one of these.
        outside: Refused when it is not one of these.
    """

    argument: int
    bits: int = 0
    among: tuple[int, ...] = ()
    outside: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A call that is refused.

    Attributes:
        error: The error number that the caller gets.
        when: The condition; None refuses every call.
    """

    call: str
    error: int
    reason: str
    when: ArgumentCondition | None = None


def _all(names: str, error: int, reason: str) -> tuple[RefusedCall, ...]:
    return tuple(RefusedCall(name, error, reason) for name in names.split())


GROUPS: Mapping[str, tuple[RefusedCall, ...]] = {
    "mounts": (
        *_all(
            "mount umount2 pivot_root chroot",
            errno.EPERM,
            "A bind or a remount makes a read-only disk writable.",
        ),
        *_all(
            "open_tree move_mount fsopen fsconfig fsmount fspick mount_setattr open_tree_attr",
            errno.ENOSYS,
            "The same by the new calls; programs fall back to the old ones.",
        ),
        *_all("swapon swapoff quotactl quotactl_fd", errno.EPERM, "They change the disks."),
    ),
    "namespaces": (
        *_all("unshare setns", errno.EPERM, "A new user namespace gives capabilities back."),
        RefusedCall(
            "clone",
            errno.EPERM,
            "The same as unshare, by a flag.",
            ArgumentCondition(0, bits=_NEW_NAMESPACES),
        ),
        RefusedCall("clone3", errno.ENOSYS, "Its flags lie in memory; glibc falls back to clone."),
    ),
    "other processes": (
        *_all(
            "ptrace process_vm_readv process_vm_writev process_madvise pidfd_getfd kcmp",
            errno.EPERM,
            "They read or change the memory and the files of other processes.",
        ),
        *_all("perf_event_open", errno.EPERM, "It watches others; a history of kernel bugs."),
    ),
    "keys": _all(
        "add_key keyctl request_key",
        errno.EPERM,
        "The kernel's keyring knows no namespace (CVE-2016-0728, CVE-2016-8655).",
    ),
    "ways round a filter": (
        *_all(
            "io_uring_setup io_uring_enter io_uring_register",
            errno.ENOSYS,
            "What it does passes no filter of system calls.",
        ),
        *_all("bpf", errno.EPERM, "Programs in the kernel."),
        *_all("userfaultfd", errno.EPERM, "It holds the kernel in the middle of a copy."),
        *_all(
            "open_by_handle_at name_to_handle_at",
            errno.EPERM,
            "Files by number, past the folders that are visible.",
        ),
        *_all("fanotify_init", errno.EPERM, "It watches whole disks."),
    ),
    "the system": (
        *_all(
            "kexec_load kexec_file_load init_module finit_module delete_module create_module",
            errno.EPERM,
            "Code for the kernel.",
        ),
        *_all("reboot acct syslog", errno.EPERM, "They are the administrator's."),
        *_all(
            "settimeofday clock_settime clock_adjtime adjtimex sethostname setdomainname",
            errno.EPERM,
            "Clock and name are everybody's.",
        ),
        *_all("ioperm iopl", errno.EPERM, "Ports of the hardware."),
    ),
    "memory of several nodes": _all(
        "move_pages mbind get_mempolicy set_mempolicy migrate_pages set_mempolicy_home_node",
        errno.EPERM,
        "They move memory of other processes; a history of kernel bugs.",
    ),
    "old": (
        *_all(
            "uselib modify_ldt nfsservctl lookup_dcookie _sysctl ustat sysfs",
            errno.EPERM,
            "Nothing of today needs them.",
        ),
        RefusedCall(
            "personality",
            errno.EPERM,
            "Other ways to lay out memory switch off protections.",
            ArgumentCondition(0, outside=(0, _ASKS_ONLY)),
        ),
    ),
    "the terminal": (
        RefusedCall(
            "ioctl",
            errno.EPERM,
            "It types into the user's shell. The kernel reads the low 32 bits (CVE-2019-10063).",
            ArgumentCondition(1, among=(_TIOCSTI, _TIOCLINUX)),
        ),
    ),
}
"""What holds for every walled command; ``socket`` alone depends on what a command needs."""


def rules(needs: frozenset[Permission], *, sees_sockets: bool) -> tuple[RefusedCall, ...]:
    """Return the whole table for a command.

    Args:
        sees_sockets: Whether sockets of other programs could be reached by their files (no
            namespace hides them), so that none may be made.
    """
    network = (_AF_INET, _AF_INET6, _AF_NETLINK)
    if sees_sockets:
        families: tuple[int, ...] = network if Permission.NETWORK in needs else ()
    else:  # a network of its own: tools may talk to themselves
        families = (_AF_UNIX, *network)
    socket = RefusedCall(
        "socket",
        errno.EAFNOSUPPORT,
        "Only families that programs need; the others are old, rare, or go round the network.",
        ArgumentCondition(0, outside=families),
    )
    return (*(rule for group in GROUPS.values() for rule in group), socket)
