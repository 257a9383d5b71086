"""What is said of each level: to the window's badge, to the doctor, for each protection."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import Permission
from studio.jobs.sandbox import (
    NONE,
    Containment,
    Enforcement,
    Sandbox,
    SandboxLevel,
    containment,
    level,
)
from studio.jobs.sandbox.bubblewrap import Bubblewrap
from studio.jobs.sandbox.level import by_bubblewrap, by_kernel

NAMES = ["files", "network", "processes", "calls", "privileges"]


def walls(*, user_namespace: bool) -> Containment:
    return by_bubblewrap(Bubblewrap("bwrap", frozenset(), user_namespace=user_namespace))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (walls(user_namespace=True), "fffff"),
        (walls(user_namespace=False), "ffffp"),
        (by_kernel(7, filtered=True), "pfpff"),
        (by_kernel(4, filtered=False), "ppp-f"),
        (by_kernel(2, filtered=False), "p-p-f"),
        (by_kernel(0, filtered=True), "-f-ff"),
        (NONE, "-----"),
    ],
)
def test_each_protection_of_each_kind_of_walls(found: Containment, expected: str) -> None:
    letters = {Enforcement.FULLY: "f", Enforcement.PARTLY: "p", Enforcement.NOT: "-"}
    assert [one.name for one in found.protections] == NAMES
    assert "".join(letters[one.enforced] for one in found.protections) == expected
    for one in found.protections:
        assert re.fullmatch(r"[A-Z].*\.", one.text)


@pytest.mark.parametrize(
    ("found", "closed"),
    [
        (walls(user_namespace=True), True),
        (walls(user_namespace=False), True),
        (by_kernel(3, filtered=True), True),
        (by_kernel(2, filtered=True), False),
        (by_kernel(7, filtered=False), False),
        (by_kernel(0, filtered=True), False),
        (NONE, False),
    ],
)
def test_a_closed_sandbox_has_no_network_and_keeps_files(found: Containment, closed: bool) -> None:
    assert found.is_closed is closed
    walls = Sandbox(found, Path("job"))
    assert walls.is_closed is closed
    for need in (Permission.NETWORK, Permission.HOME):
        assert not replace(walls, needs=frozenset({need})).is_closed


def test_the_badge_names_what_is_missing() -> None:
    assert walls(user_namespace=True).explanation == (
        "Workers run in a sandbox: bubblewrap with a user namespace. No network, "
        "no home folder, read-only disk."
    )
    assert by_kernel(7, filtered=True).explanation == (
        "Workers run in a sandbox: Landlock (version 7) and a filter of system calls. "
        "Not fully enforced: files, processes; see studio doctor."
    )
    assert "limits only" in NONE.explanation


def test_old_versions_of_landlock_say_what_they_leave_open() -> None:
    texts = {
        abi: " ".join(one.text for one in by_kernel(abi, filtered=True).protections)
        for abi in (2, 7)
    }
    assert "truncated" in texts[2]
    assert "can end your other processes" in texts[2]
    assert "truncated" not in texts[7]
    assert "can end" not in texts[7]


def test_a_program_that_cannot_make_walls_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    program = shutil.which("false")
    assert program is not None
    broken = Bubblewrap(program, frozenset(), user_namespace=True)
    assert not broken.works()
    monkeypatch.setattr(level, "working_bubblewrap", lambda: None)
    found = containment.__wrapped__()
    assert found.level is not SandboxLevel.FULL
    assert found.bubblewrap is None
