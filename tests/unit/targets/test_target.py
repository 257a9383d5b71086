"""Targets as objects: what a machine allows and a platform refuses, without a plugin's import."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from studio.api import TargetSpec, Unavailable, UsageError
from studio.targets.target import open_target

BOARD = TargetSpec("board", "ssh://ann@board.lan")
CLUSTER = TargetSpec("cluster", "kubernetes://default", settings={"namespace": "vision"})


@pytest.mark.parametrize(("target", "way"), [(BOARD, "machine"), (CLUSTER, "platform")])
def test_each_target_takes_its_own_way(
    target: TargetSpec, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "studio_kubernetes.platform", raising=False)  # other tests'
    assert open_target(target).choose("machine", "platform") == way
    assert "studio_kubernetes.platform" not in sys.modules


def test_a_platform_refuses_what_a_machine_allows() -> None:
    open_target(BOARD).require_machine("is a platform target.")
    with pytest.raises(UsageError, match=r"^cluster is a platform target\.$") as refused:
        open_target(CLUSTER).require_machine("is a platform target.", hint="Name a board.")
    assert refused.value.hint == "Name a board."


def test_only_machines_store_requests() -> None:
    assert open_target(BOARD).stores_requests
    assert open_target(BOARD).holds_trials
    assert not open_target(CLUSTER).stores_requests


@pytest.mark.parametrize(
    ("url", "root", "same"),
    [
        ("ssh://ann@board.lan:22", "", True),
        ("ssh://ann@board.lan:2222", "", False),
        ("ssh://bob@board.lan", "", False),
        ("ssh://ann@board.lan", "/opt/models", False),
    ],
)
def test_the_place_of_a_board_is_its_address_and_folder(url: str, root: str, same: bool) -> None:
    other = TargetSpec("other", url, settings={"root": root} if root else {})
    assert (open_target(other).place() == open_target(BOARD).place()) is same


def test_the_place_of_a_platform_is_its_address_with_its_settings() -> None:
    elsewhere = TargetSpec("other", CLUSTER.url, settings={"namespace": "audio"})
    assert open_target(elsewhere).place() != open_target(CLUSTER).place()


def test_a_target_without_a_plugin_has_no_place(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="No plugin connects to odd:// targets"):
        open_target(TargetSpec("odd", f"odd://{tmp_path}")).place()
