"""The share of the machine's memory that a worker gets, and what its processes hold."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from studio.jobs.memory import SHARE, held_mb, machine_mb, share_mb

PHYSICAL = (os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) >> 20


def put(root: Path, place: str, text: str) -> None:
    """A file of the kernel's in a folder of the test's."""
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).write_text(text)


def test_without_control_groups_it_is_of_what_is_built_in(tmp_path: Path) -> None:
    assert machine_mb(tmp_path) == PHYSICAL
    assert share_mb(tmp_path) == max(256, int(PHYSICAL * SHARE))


@pytest.mark.parametrize(
    ("groups", "place"),
    [
        ("0::/user/studio\n", "sys/fs/cgroup/user/memory.max"),
        ("0::/of/the/host\n", "sys/fs/cgroup/memory.max"),
        ("4:memory,pids:/docker/x\n", "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes"),
    ],
)
def test_a_containers_limit_counts(tmp_path: Path, groups: str, place: str) -> None:
    put(tmp_path, "proc/self/cgroup", groups)
    put(tmp_path, place, f"{1000 << 20}\n")
    assert machine_mb(tmp_path) == min(PHYSICAL, 1000)
    assert share_mb(tmp_path) == min(max(256, int(PHYSICAL * SHARE)), 500)


def test_a_group_without_a_limit_has_none(tmp_path: Path) -> None:
    put(tmp_path, "proc/self/cgroup", "0::/\n")
    put(tmp_path, "sys/fs/cgroup/memory.max", "max\n")
    assert machine_mb(tmp_path) == PHYSICAL


def test_what_a_child_of_a_child_holds_is_counted() -> None:
    eat = "import os, sys; held = bytearray(os.urandom(1 << 20)) * 300; print(1, flush=True)"
    inner = f"{eat}; sys.stdin.read()"
    outer = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    with subprocess.Popen(
        [sys.executable, "-c", outer, inner], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        assert 300 < held_mb(process.pid) < 500
    assert held_mb(process.pid) == 0
