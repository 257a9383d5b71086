"""Ways out of a worker, each tried in a child process of a real one; and what must go on working.

An attempt that gets through returns, one that is refused raises OSError. None does harm where it
gets through: files and sockets are the test's, pointers and descriptors are bad.
"""

from __future__ import annotations

import array
import ctypes
import errno
import fcntl
import json
import multiprocessing
import os
import socket
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from studio.jobs import Arguments, Job, Result
from studio.jobs.sandbox.calls import rules
from studio.jobs.sandbox.filter import ARCHITECTURES

Given = Mapping[str, Any]
Attempt = Callable[[Given], Any]

_BAD = ctypes.c_long(-1)
_NEW_USER = 0x10000000
_MS_BIND_REMOUNT = 4096 | 32


def call(name: str, *arguments: Any) -> int:
    """A system call by its number on this machine; OSError as it says."""
    number = ARCHITECTURES[os.uname().machine].numbers[name]
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.restype = ctypes.c_long
    result = int(libc.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def _libc(name: str, *arguments: Any) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(16)


def _write(path: str) -> None:
    with open(path, "ab"):
        pass


def _connect(family: int, kind: int, address: Any) -> None:
    with socket.socket(family, kind) as one:
        one.settimeout(5)
        one.connect(address)


def _through_a_link(given: Given) -> None:
    os.symlink(given["secret"], "link")
    _read("link")


def _remount(given: Given) -> None:
    _libc("mount", b"none", b"/usr", None, ctypes.c_ulong(_MS_BIND_REMOUNT), None)


def _bind(given: Given) -> None:
    os.makedirs("here", exist_ok=True)
    _libc("mount", b"/usr", b"here", None, ctypes.c_ulong(4096), None)


def _clone_with_user_namespace(given: Given) -> None:
    if call("clone", ctypes.c_long(_NEW_USER | 17), None, None, None, None) == 0:
        os._exit(0)


def _device(given: Given) -> None:
    os.mknod("disk", 0o60600, os.makedev(8, 0))
    _read("disk")


def _type_into_terminal(given: Given) -> None:
    """With the high half set, which the kernel does not look at (CVE-2019-10063)."""
    call("ioctl", -1, ctypes.c_ulong(0x1_0000_5412), b"x")


def _regain_capabilities(given: Given) -> None:
    header = array.array("I", [0x20080522, 0]).tobytes()
    wanted = array.array("I", [1 << 21, 1 << 21, 0, 0, 0, 0]).tobytes()
    _libc("capset", header, wanted)


def _x32(given: Given) -> None:
    """The same calls under other numbers; on other processors there is no such thing."""
    if os.uname().machine != "x86_64":
        raise OSError(errno.ENOSYS, "no x32 here")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(0x40000000 + 39)) < 0:
        raise OSError(ctypes.get_errno(), "refused")


def _variables(given: Given) -> None:
    if not set(given["variables"]) & set(os.environ):
        raise OSError(errno.ENOENT, "none of them is here")


def _variables_of_the_parent(given: Given) -> None:
    _read(f"/proc/{given['pid']}/environ")


def _see_others(given: Given) -> None:
    _read(f"/proc/{given['pid']}/cmdline")


def _listing(path: str) -> Attempt:
    return lambda given: os.listdir(path)


WAYS: Mapping[str, Attempt] = {
    "a socket of another program (docker.sock)": lambda g: _connect(
        socket.AF_UNIX, socket.SOCK_STREAM, g["socket"]
    ),
    "a socket without a file": lambda g: _connect(
        socket.AF_UNIX, socket.SOCK_STREAM, "\0" + g["abstract"]
    ),
    "TCP": lambda g: _connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", g["port"])),
    "UDP": lambda g: _connect(socket.AF_INET, socket.SOCK_DGRAM, ("192.0.2.1", 9)),
    "IPv6": lambda g: _connect(socket.AF_INET6, socket.SOCK_DGRAM, ("2001:db8::1", 9)),
    "packets": lambda g: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
    "the kernel's ciphers (AF_ALG)": lambda g: socket.socket(socket.AF_ALG, 5).close(),
    "the host of a virtual machine (vsock)": lambda g: socket.socket(socket.AF_VSOCK, 1).close(),
    "a remount that can be written to": _remount,
    "a bind mount": _bind,
    "a copy of the tree of mounts": lambda g: call("open_tree", -100, b"/", 1),
    "a new user namespace": lambda g: call("unshare", _NEW_USER),
    "the same by clone": _clone_with_user_namespace,
    "the namespace of another process": lambda g: call("setns", -1, 0),
    "another root": lambda g: os.chroot("/usr"),
    "ptrace": lambda g: call("ptrace", 16, g["pid"], None, None),
    "ptrace of its own parent": lambda g: call("ptrace", 0, 0, None, None),
    "memory of another process": lambda g: call("process_vm_readv", g["pid"], None, 0, None, 0, 0),
    "variables of another process": _variables_of_the_parent,
    "files of another process": lambda g: os.listdir(f"/proc/{g['pid']}/root/"),
    "command lines of others": _see_others,
    "a signal to another process": lambda g: os.kill(g["pid"], 0),
    "the home": lambda g: os.listdir(g["home"]),
    "a key in the home": lambda g: _read(g["secret"]),
    "... through a link": _through_a_link,
    "... through a hard link": lambda g: os.link(g["secret"], "hard"),
    "... by its number": lambda g: call("open_by_handle_at", -1, None, 0),
    "that it is there": lambda g: os.stat(g["secret"]),
    "its mode": lambda g: os.chmod(g["secret"], 0o600),
    "a file beside the model's folder": lambda g: _write(g["beside"]),
    "the model itself, changed": lambda g: _write(g["model"]),
    "variables of the user": _variables,
    "the users of this machine": lambda g: _read("/etc/passwd"),
    "their passwords": lambda g: _read("/etc/shadow"),
    "/run": _listing("/run"),
    "/var": _listing("/var/lib"),
    "another disk": lambda g: os.listdir(g["disk"]),
    "a program of the system, changed": lambda g: _write("/usr/bin/env"),
    "the kernel's settings": lambda g: _write("/proc/sys/kernel/core_pattern"),
    "an interrupt's processor": lambda g: _write("/proc/irq/default_smp_affinity"),
    "a key of the machine (sysrq)": lambda g: _write("/proc/sysrq-trigger"),
    "a control group": lambda g: os.mkdir("/sys/fs/cgroup/out"),
    "the kernel's log": lambda g: _read("/dev/kmsg"),
    "memory of the machine": lambda g: _read("/dev/mem"),
    "a disk of its own making": _device,
    "the keyring": lambda g: call("keyctl", 0, -3, 0),
    "a new key": lambda g: call("add_key", b"user", b"x", b"y", 1, -3),
    "io_uring": lambda g: call("io_uring_setup", 1, ctypes.create_string_buffer(128)),
    "a program in the kernel (bpf)": lambda g: call("bpf", 0, ctypes.create_string_buffer(64), 64),
    "events of the processor": lambda g: call("perf_event_open", None, 0, -1, -1, 0),
    "page faults": lambda g: call("userfaultfd", 0),
    "words typed into the terminal": _type_into_terminal,
    "another layout of memory": lambda g: call("personality", 0x0040000),
    "capabilities": _regain_capabilities,
    "system calls by other numbers (x32)": _x32,
    "a module of the kernel": lambda g: call("init_module", None, 0, None),
    "the clock": lambda g: call("clock_settime", 0, None),
}
"""Each must be refused at the level FULL."""

OPEN_TO_LANDLOCK = frozenset({"command lines of others", "that it is there", "its mode"})
"""What no Landlock refuses; ``studio doctor`` says so."""


def _thread(given: Given) -> None:
    seen: list[int] = []
    thread = threading.Thread(target=seen.append, args=(1,))
    thread.start()
    thread.join()
    if not seen:
        raise OSError(errno.EAGAIN, "no thread ran")


def _program(given: Given) -> None:
    subprocess.run(["true"], check=True)


def _files(given: Given) -> None:
    for name in ("a", "b"):
        os.mkdir(name)
    Path("a/file").write_text("x")
    os.replace("a/file", "b/file")
    os.truncate("b/file", 0)
    os.chmod("b/file", 0o644)
    os.unlink("b/file")


def _pair(given: Given) -> None:
    for one in socket.socketpair():
        one.close()


def _size_of_a_terminal(given: Given) -> None:
    try:
        fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
    except OSError as error:
        if error.errno not in (errno.ENOTTY, errno.EINVAL):
            raise


HARMLESS: Mapping[str, Attempt] = {
    "a thread": _thread,
    "a program": _program,
    "files of the job": _files,
    "the model": lambda g: _read(g["model"]),
    "a file beside it": lambda g: _read(g["data"]),
    "a pair of sockets": _pair,
    "the size of a terminal": _size_of_a_terminal,
    "its own memory map": lambda g: _read("/proc/self/maps"),
    "the processor": lambda g: _read("/proc/cpuinfo"),
    "the number of processors": _listing("/sys/devices/system/cpu"),
    "libraries behind /etc/alternatives": lambda g: os.stat("/usr/bin/awk"),
    "nothing": lambda g: _write("/dev/null"),
    "chance": lambda g: _read("/dev/urandom"),
    "anonymous memory": lambda g: os.close(os.memfd_create("x")),
    "which layout of memory it has": lambda g: call("personality", ctypes.c_ulong(0xFFFFFFFF)),
    "certificates": _listing("/etc/ssl/certs"),
}

HARMLESS_IN_NAMESPACES: Mapping[str, Attempt] = {
    "a lock in shared memory": lambda g: multiprocessing.Lock(),
    "a temporary file": lambda g: _write("/tmp/file"),
    "a socket of its own": lambda g: socket.socket(socket.AF_UNIX).close(),
    "the names of its interfaces": lambda g: socket.if_nameindex(),
    "a server for itself": lambda g: socket.create_server(("127.0.0.1", 0)).close(),
}
"""What only a view of its own makes harmless."""


def try_all(arguments: Arguments, job: Job) -> Result:
    """How each attempt ended: the name of an error, or ``through``."""
    os.chdir(job.folder)
    return {
        "ways": {name: _in_a_child(way, arguments) for name, way in WAYS.items()},
        "calls": {name: _in_a_child(_bad_call(name), arguments) for name in _unconditional()},
        "harmless": {name: _in_a_child(one, arguments) for name, one in HARMLESS.items()},
        "harmless in namespaces": {
            name: _in_a_child(one, arguments) for name, one in HARMLESS_IN_NAMESPACES.items()
        },
        "status": Path("/proc/self/status").read_text(),
        "root": _names("/"),
        "variables": sorted(os.environ),
    }


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _unconditional() -> list[str]:
    known = ARCHITECTURES[os.uname().machine].numbers
    table = rules(frozenset(), sees_sockets=True)
    return [rule.call for rule in table if rule.when is None and rule.call in known]


def _bad_call(name: str) -> Attempt:
    return lambda given: call(name, _BAD, _BAD, _BAD, _BAD, _BAD, _BAD)


def _in_a_child(attempt: Attempt, given: Given) -> str:
    """What a process of its own makes of an attempt; none can spoil the next."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            attempt(given)
            said = "through"
        except OSError as error:
            said = errno.errorcode.get(error.errno or 0, f"error {error.errno}")
        except BaseException as error:  # a defect of the attempt, which the test must see
            said = repr(error)
        os.write(write, json.dumps(said).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as answer:
        said = answer.read()
    os.waitpid(child, 0)
    return json.loads(said) if said else "ended by a signal"
