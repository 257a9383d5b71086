"""The sample shelf on recordings of fresh seeds: events, prices, and how often labels are read."""

from __future__ import annotations

import json
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.api import Silent
from studio.features.apps.context import DeskContext
from studio.features.apps.files import AppFiles
from studio.runtime.apps.engine import AppEngine
from studio.runtime.apps.event_match import match_events
from studio.runtime.apps.parts import Predictor
from studio.runtime.apps.store import MemoryStore
from studio.samples.shelf.film import SECONDS, write
from studio.samples.shelf.plan import FACINGS
from tests.e2e.conftest import Studio

PRICES, STOCK = ("price-ok", "price-differs"), ("out-of-stock", "restocked")


class Counted:
    """A predictor that counts the pictures that it is given."""

    def __init__(self, predictor: Predictor) -> None:
        self.task, self.batch, self.count = predictor.task, predictor.batch, 0
        self.pictures_of = predictor.pictures
        self.arrays = predictor.arrays

    def pictures(self, pixels: Sequence[np.ndarray]) -> Sequence[Any]:
        self.count += len(pixels)
        return self.pictures_of(pixels)


class CountingContext(DeskContext):
    """Services of the desk whose predictors count."""

    def __init__(self, files: AppFiles) -> None:
        super().__init__(files, threads=1)
        self.counted: dict[str, Counted] = {}

    def predictor(self, name: str) -> Any:
        if name not in self.counted:
            self.counted[name] = Counted(super().predictor(name))
        return self.counted[name]


@pytest.fixture(scope="module")
def sample(studio: Studio) -> Path:
    return Path(studio.ok("samples", "get", "shelf", timeout=600)["folder"])


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as found:
        yield Path(found) / "shelf"


def test_the_sample_passes_its_own_test(studio: Studio, sample: Path) -> None:
    assert studio.run("app", "check", sample).code == 0
    found = studio.ok("app", "test", sample, timeout=600)
    assert found["f1"] >= 0.98
    assert found["failed"] == 0


@pytest.mark.parametrize("number", range(2))
def test_fresh_recordings_are_read_right(sample: Path, folder: Path, number: int) -> None:
    seed = secrets.randbelow(1 << 31)
    print(f"seed {seed}")
    ignored = shutil.ignore_patterns("frames", "prices.csv", "expected.jsonl")
    shutil.copytree(sample, folder, ignore=ignored)
    write(folder, seed, SECONDS, Silent())
    files = AppFiles.open(folder)
    context, store = CountingContext(files), MemoryStore("shelf")
    engine = AppEngine(files.graph({}), context, store)
    engine.start()
    assert engine.wait(900)
    engine.stop()
    settings = files.document.test
    lines = (folder / "expected.jsonl").read_text("utf-8").splitlines()
    expected = [json.loads(line) for line in lines]
    found = [event.to_json() for event in store.events]
    scores = {}
    for name, kinds in (("all", settings.kinds), ("prices", PRICES), ("stock", STOCK)):
        wanted = [row for row in expected if row["kind"] in kinds]
        events = [row for row in found if row["kind"] in kinds]
        match = match_events(wanted, events, settings.within_s, settings.compare)
        scores[name] = match.f1
        print(name, len(wanted), "expected, F1", round(match.f1, 4))
        print("missing", [wanted[at] for at in match.missing])
        print("extra", [events[at] for at in match.extra])
    reads, labels = context.counted["reader"].count, engine.latency.count * len(FACINGS)
    print(f"{reads} labels read of {labels}: one in {labels / reads:.1f}")
    assert engine.runner.failed == 0
    assert min(scores.values()) >= 0.98
    assert labels >= 5 * reads
