"""Connection of the program that speaks with Ray; clusters are in ``tests/integration/spread``."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import pytest

ERRORS = ("ActorUnavailableError", "RayActorError", "RayTaskError")


@pytest.fixture
def driver(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program's module, with a stand-in for Ray, which is in no environment of the studio."""
    ray, errors = ModuleType("ray"), ModuleType("ray.exceptions")
    for name in ERRORS:
        setattr(errors, name, type(name, (Exception,), {}))
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.exceptions", errors)
    monkeypatch.delitem(sys.modules, "studio_ray.driver", raising=False)
    found = importlib.import_module("studio_ray.driver")
    monkeypatch.setattr(found, "_PAUSE_S", 0.0)
    yield found
    sys.modules.pop("studio_ray.driver")


def connecting(driver: Any, failures: list[Exception]) -> list[str]:
    """Let the first attempts fail; return the addresses of all."""
    tried: list[str] = []

    def init(address: str, **_: Any) -> None:
        tried.append(address)
        if failures:
            raise failures.pop(0)

    driver.ray.init = init
    driver._connect("ray://head:10001")
    return tried


def test_a_head_that_starts_too_slowly_is_tried_again(driver: Any) -> None:
    refused = [ConnectionAbortedError("Initialization failure from server:\n") for _ in range(4)]
    assert connecting(driver, list[Exception](refused)) == ["ray://head:10001"] * 5


def test_a_head_that_never_starts_it_ends_in_its_reason(driver: Any) -> None:
    refused = [ConnectionAbortedError("Initialization failure") for _ in range(5)]
    with pytest.raises(ConnectionAbortedError, match="Initialization"):
        connecting(driver, list[Exception](refused))


def test_a_head_that_is_away_is_not_tried_again(driver: Any) -> None:
    failures: list[Exception] = [ConnectionError("ray client connection timeout")]
    with pytest.raises(ConnectionError, match="timeout"):
        connecting(driver, failures)
    assert failures == []
