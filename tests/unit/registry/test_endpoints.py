"""Endpoints in the registry: named like targets, remembered from a deploy to a purge."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.api import TargetSpec, UsageError
from studio.registry import Registry
from studio.registry.groups import expand

ROOF = TargetSpec("roof", "ssh://ann@roof", "", {"root": "/data"})


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    opened = Registry.open(tmp_path)
    opened.add_target(ROOF)
    yield opened
    opened.close()


def test_an_endpoint_is_its_target_with_a_name_behind_it(registry: Registry) -> None:
    wanted = replace(ROOF, name="roof/door", endpoint_name="door")
    assert registry.target("roof/door") == wanted
    assert [one.name for one in registry.targets()] == ["local", "roof"], "nothing is there yet"
    registry.endpoints.add("roof/door")
    registry.endpoints.add("roof/door")
    registry.add_target(TargetSpec("roof-2", "ssh://ann@two"))
    assert [one.name for one in registry.targets()] == ["local", "roof", "roof/door", "roof-2"]
    assert registry.target("roof/door") == wanted


def test_what_its_target_learns_holds_for_it(registry: Registry) -> None:
    registry.endpoints.add("roof/door")
    registry.set_facts("roof", {"arch": "aarch64"})
    assert registry.facts("roof/door") == {"arch": "aarch64"}
    registry.add_target(replace(registry.target("roof/door"), host_key="ssh-ed25519 AAAA"))
    assert registry.target("roof").host_key == "ssh-ed25519 AAAA"
    assert registry.target("roof/door").host_key == "ssh-ed25519 AAAA"


def test_it_is_forgotten_by_itself_or_with_its_target(registry: Registry) -> None:
    for name in ("roof/door", "roof/gate"):
        registry.endpoints.add(name)
    registry.endpoints.forget("roof/door")
    registry.endpoints.forget("roof")
    assert [one.name for one in registry.targets()] == ["local", "roof", "roof/gate"]
    registry.remove_target("roof")
    assert [one.name for one in registry.targets()] == ["local"]


def test_a_group_has_the_endpoint_of_each_member(registry: Registry) -> None:
    registry.groups.set("all", ["roof"])
    assert expand(["@all/door", "roof", "@all"], registry.groups, registry.labels) == [
        "roof/door",
        "roof",
    ]


@pytest.mark.parametrize("name", ["..", "", "a/b", ".hidden", "a b", "x" * 65, "-r", "a\n"])
def test_a_name_that_is_no_folder_is_refused(registry: Registry, name: str) -> None:
    with pytest.raises(UsageError):
        registry.target(f"roof/{name}")


def test_a_target_cannot_be_called_like_an_endpoint(registry: Registry) -> None:
    with pytest.raises(UsageError, match="cannot contain /"):
        registry.add_target(TargetSpec("roof/door", "ssh://ann@two"))
    with pytest.raises(UsageError, match="Unknown target: 'attic'"):
        registry.target("attic/door")
