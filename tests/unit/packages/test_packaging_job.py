"""Packaging with a key: what parses the model never hears of the key."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from studio.jobs import Job
from studio.packages import packaging_job
from studio.packages.work import package
from tests.rigs.bundles import package_options


class Seen(Exception):
    """Ends the test once the worker behind walls would be started."""


def test_the_key_stays_outside_the_walls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []

    def started(*what: Any) -> dict[str, Any]:
        given.extend(what)
        raise Seen

    monkeypatch.setattr(packaging_job, "run_contained", started)
    model, key = tmp_path / "m.onnx", tmp_path / "secret" / "key"
    with pytest.raises(Seen):
        package(package_options(model, sign=key), cast(Job, None))
    _, _, options, reads, *_ = given
    assert options.sign is None
    assert not any(key.is_relative_to(path) for path in reads)
    assert str(key) not in repr(options)


def test_the_worker_may_read_the_guard_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def started(*what: Any) -> dict[str, Any]:
        given.extend(what)
        raise Seen

    monkeypatch.setattr(packaging_job, "run_contained", started)
    rules = tmp_path / "rules" / "guard.toml"
    options = package_options(tmp_path / "m.gguf", sign=tmp_path / "key", guard=rules)
    with pytest.raises(Seen):
        package(options, cast(Job, None))
    assert rules in given[3]
