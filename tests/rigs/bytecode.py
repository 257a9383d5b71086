"""Bytecode of a fresh checkout, of which each process of a run makes its share.

All of them import the same files in the same order: without shares each compiles every one.
"""

from __future__ import annotations

import importlib.util
import os
import py_compile
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

ROOT = Path(__file__).parents[2]
_PRODUCT = ("studio", "plugins")
_APART = ROOT / "tests" / "integration"


def make_share(config: pytest.Config) -> None:
    """Compile the files of this process's share that have no bytecode yet.

    Only in a run of all tests by several processes: the few files of others are soon compiled.
    """
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    places = {Path(config.invocation_params.dir, name).resolve() for name in config.args}
    if not worker or sys.dont_write_bytecode or places != {ROOT / "tests"}:
        return
    number, count = int(worker[2:]), int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for path in list(_sources())[number::count]:
        if not _compiled(path).exists():
            _compile(path, config)


def _sources() -> Iterator[Path]:
    for folder in (*_PRODUCT, "tests"):
        found = sorted((ROOT / folder).rglob("*.py"))
        yield from (path for path in found if not path.is_relative_to(_APART))


def _compiled(path: Path) -> Path:
    """Return where the bytecode of a file is; that of tests has its assertions rewritten."""
    if _is_rewritten(path):
        return path.parent / "__pycache__" / (path.stem + rewrite.PYC_TAIL)
    return Path(importlib.util.cache_from_source(str(path)))


def _is_rewritten(path: Path) -> bool:
    is_test = path.name.startswith("test_") or path.name == "conftest.py"
    return is_test and path.is_relative_to(ROOT / "tests")


def _compile(path: Path, config: pytest.Config) -> None:
    if not _is_rewritten(path):
        py_compile.compile(str(path), quiet=2)  # what is wrong in it, its import says
        return
    try:
        source, code = rewrite._rewrite_test(path, config)
    except (OSError, SyntaxError):
        return
    pyc = _compiled(path)
    pyc.parent.mkdir(exist_ok=True)
    rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, source, pyc)
