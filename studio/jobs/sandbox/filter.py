"""The table of refused system calls as a program of the kernel's filter (classic BPF)."""

from __future__ import annotations

import errno
import functools
import os
import struct
from collections.abc import Iterable, Mapping

from studio.api import Permission
from studio.jobs.sandbox.calls import RefusedCall, rules
from studio.lazy_dataclass import dataclass

_LOAD, _EQUAL, _ANY_BIT, _AT_LEAST, _RETURN = 0x20, 0x15, 0x45, 0x35, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16  # offsets in struct seccomp_data
_ALLOW, _ERROR = 0x7FFF0000, 0x00050000
_X32 = 0x40000000

_OF_ALL = {
    **{"quotactl_fd": 443, "clone3": 435, "open_tree": 428, "move_mount": 429, "fsopen": 430},
    **{"fsconfig": 431, "fsmount": 432, "fspick": 433, "mount_setattr": 442},
    **{"open_tree_attr": 467, "pidfd_getfd": 438, "process_madvise": 440},
    **{"io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427},
    "set_mempolicy_home_node": 450,
}
"""Numbers that are the same everywhere: all since 2019."""


@dataclass(frozen=True, slots=True)
class Architecture:
    """A processor for which filters can be made; both are little-endian.

    Attributes:
        audit: How the kernel names it to a filter.
        numbers: Of its calls; what is missing there does not exist.
        x32: Whether numbers from 2^30 on are those calls once more.
    """

    audit: int
    numbers: Mapping[str, int]
    x32: bool = False


ARCHITECTURES: Mapping[str, Architecture] = {
    "x86_64": Architecture(
        0xC000003E,
        {
            **_OF_ALL,
            **{"mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "swapon": 167},
            **{"swapoff": 168, "quotactl": 179, "unshare": 272, "setns": 308, "clone": 56},
            **{"ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312},
            **{"perf_event_open": 298, "add_key": 248, "keyctl": 250, "request_key": 249},
            **{"bpf": 321, "userfaultfd": 323, "open_by_handle_at": 304},
            **{"name_to_handle_at": 303, "fanotify_init": 300, "kexec_load": 246},
            **{"kexec_file_load": 320, "init_module": 175, "finit_module": 313},
            **{"delete_module": 176, "create_module": 174, "reboot": 169, "acct": 163},
            **{"syslog": 103, "settimeofday": 164, "clock_settime": 227, "clock_adjtime": 305},
            **{"adjtimex": 159, "sethostname": 170, "setdomainname": 171, "ioperm": 173},
            **{"iopl": 172, "move_pages": 279, "mbind": 237, "get_mempolicy": 239},
            **{"set_mempolicy": 238, "migrate_pages": 256, "uselib": 134, "modify_ldt": 154},
            **{"nfsservctl": 180, "lookup_dcookie": 212, "_sysctl": 156, "ustat": 136},
            **{"sysfs": 139, "personality": 135, "ioctl": 16, "socket": 41},
        },
        x32=True,
    ),
    "aarch64": Architecture(
        0xC00000B7,
        {
            **_OF_ALL,
            **{"mount": 40, "umount2": 39, "pivot_root": 41, "chroot": 51, "swapon": 224},
            **{"swapoff": 225, "quotactl": 60, "unshare": 97, "setns": 268, "clone": 220},
            **{"ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272},
            **{"perf_event_open": 241, "add_key": 217, "keyctl": 219, "request_key": 218},
            **{"bpf": 280, "userfaultfd": 282, "open_by_handle_at": 265},
            **{"name_to_handle_at": 264, "fanotify_init": 262, "kexec_load": 104},
            **{"kexec_file_load": 294, "init_module": 105, "finit_module": 273},
            **{"delete_module": 106, "reboot": 142, "acct": 89, "syslog": 116},
            **{"settimeofday": 170, "clock_settime": 112, "clock_adjtime": 266},
            **{"adjtimex": 171, "sethostname": 161, "setdomainname": 162, "move_pages": 239},
            **{"mbind": 235, "get_mempolicy": 236, "set_mempolicy": 237},
            **{"migrate_pages": 238, "nfsservctl": 42, "lookup_dcookie": 18},
            **{"personality": 92, "ioctl": 29, "socket": 198},
        },
    ),
}


@functools.cache
def program_for(needs: frozenset[Permission], *, sees_sockets: bool) -> bytes:
    """Return the filter for a command on this machine; empty where none can be made for it."""
    architecture = ARCHITECTURES.get(os.uname().machine)
    if architecture is None:
        return b""
    return assemble(rules(needs, sees_sockets=sees_sockets), architecture)


def assemble(table: Iterable[RefusedCall], architecture: Architecture) -> bytes:
    """Return the table as instructions, 8 bytes each."""
    program = _load(_ARCHITECTURE)
    program += _unless(_EQUAL, architecture.audit, _refuse(errno.ENOSYS))
    program += _load(_NUMBER)
    if architecture.x32:
        program += _if(_AT_LEAST, _X32, _refuse(errno.ENOSYS))
    for rule in table:
        number = architecture.numbers.get(rule.call)
        if number is not None:
            program += _if(_EQUAL, number, _body(rule))
    return program + _instruction(_RETURN, 0, 0, _ALLOW)


def _body(rule: RefusedCall) -> bytes:
    """Return the instructions for a call of a rule's number; they always return."""
    refuse, allow = _refuse(rule.error), _instruction(_RETURN, 0, 0, _ALLOW)
    when = rule.when
    if when is None:
        return refuse
    body = _load(_ARGUMENTS + 8 * when.argument)  # the low half comes first
    if when.bits:
        return body + _if(_ANY_BIT, when.bits, refuse) + allow
    if when.outside is None:
        return body + b"".join(_if(_EQUAL, each, refuse) for each in when.among) + allow
    return body + b"".join(_if(_EQUAL, each, allow) for each in when.outside) + refuse


def _if(test: int, value: int, then: bytes) -> bytes:
    return _instruction(test, 0, len(then) // 8, value) + then


def _unless(test: int, value: int, then: bytes) -> bytes:
    return _instruction(test, len(then) // 8, 0, value) + then


def _load(offset: int) -> bytes:
    return _instruction(_LOAD, 0, 0, offset)


def _refuse(error: int) -> bytes:
    return _instruction(_RETURN, 0, 0, _ERROR | error)


def _instruction(code: int, if_true: int, if_false: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, if_true, if_false, value)
