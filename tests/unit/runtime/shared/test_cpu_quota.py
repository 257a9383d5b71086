"""Limits of control groups, as the kernel writes them in both versions."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from studio.runtime.shared.cpu_quota import cpu_quota, whole_processors


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".", 1)).write_text(f"{text}\n")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own"
    path.write_text("0::/\n")
    return path


def test_a_container_sees_its_limit_at_the_root(tmp_path: Path, own: Path) -> None:
    group(tmp_path / "tree", cpu_max="150000 100000")
    assert cpu_quota(tmp_path / "tree", own) == 1.5


def test_the_least_limit_on_the_way_counts(tmp_path: Path, own: Path) -> None:
    own.write_text("0::/system.slice/edge.service\n")
    group(tmp_path / "tree")
    group(tmp_path / "tree/system.slice", cpu_max="50000 100000")
    group(tmp_path / "tree/system.slice/edge.service", cpu_max="200000 100000")
    assert cpu_quota(tmp_path / "tree", own) == 0.5


def test_the_first_version_has_two_files(tmp_path: Path, own: Path) -> None:
    own.write_text("5:memory:/a\n4:cpu,cpuacct:/docker/ab\n")
    limits = {"cpu_cfs_quota_us": "300000", "cpu_cfs_period_us": "100000"}
    folder = tmp_path / "tree/cpu/docker/ab"
    folder.mkdir(parents=True)
    for name, text in limits.items():
        (folder / name.replace("cpu_", "cpu.", 1)).write_text(text)
    assert cpu_quota(tmp_path / "tree", own) == 3.0


@pytest.mark.parametrize("text", ["max 100000", "", "x y z", "0 100000", "-1 100000", "1 0"])
def test_without_a_limit_all_processors_count(tmp_path: Path, own: Path, text: str) -> None:
    group(tmp_path / "tree", cpu_max=text)
    assert cpu_quota(tmp_path / "tree", own) == math.inf
    assert cpu_quota(tmp_path / "nothing", tmp_path / "nothing") == math.inf


def test_a_group_does_not_lead_out_of_the_tree(tmp_path: Path, own: Path) -> None:
    own.write_text("0::/../outside\n")
    group(tmp_path / "tree")
    group(tmp_path / "outside", cpu_max="100000 100000")
    assert cpu_quota(tmp_path / "tree", own) == math.inf


@pytest.mark.parametrize(
    ("count", "quota", "expected"),
    [(8, math.inf, 8), (8, 8.0, 8), (8, 1.5, 1), (8, 0.2, 1), (2, 3.0, 2), (4, 2.0, 2)],
)
def test_threads_do_not_outnumber_the_limit(count: int, quota: float, expected: int) -> None:
    assert whole_processors(count, quota) == expected
