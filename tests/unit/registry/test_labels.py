"""Labels of targets in the registry, and the choice of targets by them."""

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


def test_labels_are_set_changed_and_removed(registry: Registry) -> None:
    assert registry.labels.change("a", {"site": "x", "line": "3"}) == {"line": "3", "site": "x"}
    assert registry.labels.change("a", {"site": "y", "line": ""}) == {"site": "y"}
    assert registry.labels.all() == {"a": {"site": "y"}}


def test_they_are_no_settings_and_outlive_changes_of_target_and_groups(registry: Registry) -> None:
    registry.labels.change("a", {"site": "x"})
    registry.groups.set("roof", ["a"])
    registry.add_target(replace(registry.target("a"), url="ssh://elsewhere", settings={}))
    assert registry.target("a").settings == {}
    assert registry.labels.all() == {"a": {"site": "x"}}
    assert registry.groups.members("roof") == ["a"]


def test_targets_are_chosen_by_all_labels_of_a_selection(registry: Registry) -> None:
    for name, line in (("a", "1"), ("b", "2"), ("c", "2")):
        registry.labels.change(name, {"site": "x", "line": line})
    chosen = expand(["@site=x,line=2", "a"], registry.groups, registry.labels)
    assert chosen == ["b", "c", "a"]
    assert expand(["@line=1/cam"], registry.groups, registry.labels) == ["a/cam"]
    with pytest.raises(UsageError, match="No target is labelled site=y"):
        registry.labels.select("site=y")


@pytest.mark.parametrize("name", ["", "a b", "-x", "é", "x" * 65, "a/b"])
def test_invalid_names_and_values_are_refused(registry: Registry, name: str) -> None:
    with pytest.raises(UsageError, match="Invalid label"):
        registry.labels.change("a", {name: "1"})
    if name:
        with pytest.raises(UsageError, match="Invalid label"):
            registry.labels.change("a", {"site": name})
    assert registry.labels.all() == {}


def test_a_target_has_a_bounded_number_and_must_exist(registry: Registry) -> None:
    with pytest.raises(UsageError, match="at most 32"):
        registry.labels.change("a", {f"l{number}": "1" for number in range(33)})
    with pytest.raises(UsageError, match="Unknown target"):
        registry.labels.change("nobody", {"site": "x"})


def test_this_computer_has_labels_and_groups_before_it_was_used(registry: Registry) -> None:
    registry.labels.change("local", {"approval": "required"})
    registry.groups.set("desk", ["local"])
    assert registry.labels.having("approval", "required") == {"local": "local:"}
    assert registry.groups.members("desk") == ["local"]


def test_targets_with_a_label_are_found_by_it_alone(registry: Registry) -> None:
    registry.labels.change("a", {"approval": "required"})
    registry.labels.change("b", {"site": "required"})
    registry.add_target(TargetSpec("d", "ssh://d", "", {"approval": "required"}))
    assert registry.labels.having("approval", "required") == {"a": "ssh://a"}
