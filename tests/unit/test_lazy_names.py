"""Packages whose names are imported at their first use."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from importlib import import_module

import pytest

import studio.registry
from studio.lazy_names import lazy_names

_IMPORTED = """
import sys
from studio.registry import ModelRef
assert "studio.registry.registry" not in sys.modules
from studio.registry import Registry
assert sys.modules["studio.registry"].Registry is Registry
from studio.jobs import JobRunner
from studio.datasets import Preprocess
"""


def test_a_name_is_imported_when_it_is_used() -> None:
    subprocess.run([sys.executable, "-c", _IMPORTED], check=True, timeout=120)


def test_another_name_is_an_error_like_that_of_any_module() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        studio.registry.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_the_name_becomes_an_attribute(monkeypatch: pytest.MonkeyPatch) -> None:
    find = lazy_names("studio.documents", {"shortened": "plain"})
    monkeypatch.delattr("studio.documents.shortened", raising=False)
    found = find("shortened")
    assert sys.modules["studio.documents"].shortened is found
    monkeypatch.delattr("studio.documents.shortened")


@pytest.mark.parametrize(
    "package", ["datasets", "jobs", "packages", "plugin_host", "registry", "workspace"]
)
def test_a_name_is_what_type_checkers_take_it_for(package: str) -> None:
    module = import_module(f"studio.{package}")
    tree = ast.parse(inspect.getsource(module))
    (typed,) = [node for node in tree.body if isinstance(node, ast.If)]
    for node in typed.body:
        assert isinstance(node, ast.ImportFrom)
        assert node.module is not None
        for name in node.names:
            origin = getattr(import_module(node.module), name.name)
            assert getattr(module, name.asname or name.name) is origin, name.name
