"""Groups of targets in the registry."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import TargetSpec, UsageError
from studio.registry import Registry
from studio.registry.groups import expand


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path / "registry")
    for name in ("a", "b", "c"):
        opened.add_target(TargetSpec(name, f"ssh://{name}", "", {"key_file": "/k"}))
    yield opened
    opened.close()


def test_groups_are_made_changed_and_dissolved(registry: Registry) -> None:
    groups = registry.groups
    groups.set("roof", ["a", "b"])
    groups.set("lab", ["b", "c"])
    assert groups.all() == {"lab": ["b", "c"], "roof": ["a", "b"]}
    groups.set("roof", ["c"])
    assert groups.members("roof") == groups.members("@roof") == ["c"]
    groups.set("roof", [])
    assert groups.all() == {"lab": ["b", "c"]}


def test_a_group_is_no_setting_of_its_targets_and_outlives_a_change(registry: Registry) -> None:
    registry.groups.set("roof", ["a"])
    assert registry.target("a").settings == {"key_file": "/k"}
    registry.add_target(replace(registry.target("a"), url="ssh://elsewhere", settings={}))
    assert registry.target("a").settings == {}
    assert registry.groups.members("roof") == ["a"]
    registry.remove_target("a")
    assert registry.groups.all() == {}


def test_names_expand_in_order_and_once(registry: Registry) -> None:
    registry.groups.set("roof", ["b", "c"])
    assert expand(["c", "@roof", "a"], registry.groups, registry.labels) == ["c", "b", "a"]
    assert expand(["a", "a"], registry.groups, registry.labels) == [
        "a",
        "a",
    ]


def test_what_is_no_group_says_so(registry: Registry) -> None:
    with pytest.raises(UsageError, match="Unknown group 'none'") as caught:
        registry.groups.members("none")
    assert "studio target group NAME TARGET" in caught.value.hint
    with pytest.raises(UsageError, match="Unknown target: 'z'"):
        registry.groups.set("roof", ["a", "z"])
    with pytest.raises(UsageError, match="Invalid group name"):
        registry.groups.set("@roof", ["a"])
    with pytest.raises(UsageError, match="cannot begin with @"):
        registry.add_target(TargetSpec("@roof", "ssh://x"))
    assert registry.groups.all() == {}
