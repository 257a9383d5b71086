"""Language models that are played in the environments of their backends."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from tests.e2e.conftest import Studio
from tests.rigs import text_session

ROOT = Path(__file__).parents[3]


class Played(NamedTuple):
    """What came of a list of calls.

    Attributes:
        results: One for each call; the refusal alone where the model was not loaded.
        scores: One array for each part of each run.
        left: Files that the process has left in its home.
    """

    results: Any
    scores: list[np.ndarray]
    left: list[str]


Play = Callable[..., Played]


@pytest.fixture(scope="module")
def kept(studio: Studio, rigs: Path) -> Studio:
    """A studio whose environments outlive the run: they are large."""
    studio.environment["EDGEWRIGHT_HOME"] = str(rigs / "toolchains")
    return studio


@pytest.fixture(scope="module")
def pythons(kept: Studio) -> Callable[[str], Path]:
    """The interpreter of a backend, whose environment is installed when it is missing."""

    def python(name: str) -> Path:
        rows = kept.run("backends", "list", "--json").json["backends"]
        row = next(one for one in rows if one["name"] == name)
        if row["state"] != "available":
            kept.run("backends", "install", name)
        return Path(row["environment"]["folder"]) / "bin" / "python"

    return python


@pytest.fixture
def play(pythons: Callable[[str], Path], tmp_path: Path) -> Play:
    """Play calls to a model of a backend; settings by name."""

    def played(backend: str, model: Path, calls: list[list[object]], **settings: object) -> Played:
        home, request, scores = tmp_path / "home", tmp_path / "request.json", tmp_path / "scores"
        home.mkdir(exist_ok=True)
        chosen = {"threads": 1, "context": 256, "batch": 256, **settings}
        content = {"model": str(model), "settings": chosen, "calls": calls, "scores": str(scores)}
        request.write_text(json.dumps(content))
        command = [str(pythons(backend)), str(Path(text_session.__file__)), str(request)]
        variables = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT)}
        variables["PYTHONDONTWRITEBYTECODE"] = "1"
        done = subprocess.run(
            command, env=variables, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, done.stderr[-3000:]
        left = [str(one.relative_to(home)) for one in home.rglob("*")]
        results = json.loads(done.stdout.splitlines()[-1])
        if not scores.is_file():
            return Played(results, [], left)
        with np.load(scores) as found:
            arrays = [found[name] for name in found.files]
        return Played(results, arrays, left)

    return played
