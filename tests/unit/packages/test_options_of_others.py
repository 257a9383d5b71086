"""Steps that package a model within them: what they take of packaging reaches it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from studio.deployment.artifacts.step import DebOptions
from studio.deployment.options import DeployOptions
from studio.packages.step import PackageOptions
from studio.rollouts.step import RolloutOptions


def names_of(options: type) -> set[str]:
    return {one.name for one in dataclasses.fields(options)}


LANGUAGE = {"context", "slots", "cache", "queue_tokens", "max_total_tokens", "guard"}
OWN = {"sign", "out"}
"""Done by the steps themselves, once for all targets."""


@pytest.mark.parametrize("options", [RolloutOptions, DeployOptions, DebOptions])
def test_options_of_packaging_reach_it(options: Callable[..., Any]) -> None:
    shared = (names_of(PackageOptions) & names_of(options)) - OWN  # type: ignore[arg-type]
    assert shared >= LANGUAGE
    needed = {"deb": "x.deb"} if options is DebOptions else {}
    given = options(**{name: f"<{name}>" for name in shared}, **needed)
    found = given.packaging(given.model)
    assert {name: getattr(found, name) for name in shared} == {name: f"<{name}>" for name in shared}
