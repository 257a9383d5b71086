"""An app on trial next to the app before it: equal events, and lost ones."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.release.trial.decision import Counts, TrialDecision, TrialRule, decision
from studio.runtime.serve.apps.bundle import app_of
from studio.runtime.serve.apps.hosted_app import RunningApp
from studio.runtime.serve.apps.shadow import AppShadow, EventAgreement
from studio.runtime.serve.engine.served_model import load
from studio.runtime.serve.engine.source import from_bundle
from studio.runtime.shared.trial_request import TrialRequest
from tests.rigs.apps import app_bundle, make_app
from tests.unit.runtime.serve.rig import wait_until

pytestmark = pytest.mark.slow


def rows(*times: float, **more: Any) -> list[dict[str, Any]]:
    return [{"kind": "crossing", "at_s": at, **more} for at in times]


def test_events_of_both_agree_whichever_comes_first() -> None:
    seen = EventAgreement(1.0, ("direction",))
    seen.add(rows(1.0), [], 1.0)
    seen.add([], rows(1.4), 1.5)
    seen.add(rows(9.0), [], 9.0)
    assert (seen.compared, seen.agreed) == (1, 1)


def test_an_event_is_decided_once_it_is_too_old_to_match_another() -> None:
    seen = EventAgreement(1.0, ())
    seen.add(rows(1.0), [], 1.0)
    seen.add(rows(2.0), rows(2.0), 2.0)
    assert seen.compared == 0
    seen.add(rows(9.0), rows(9.0), 9.0)
    assert (seen.compared, seen.agreed) == (2, 1)


def test_details_that_differ_are_no_agreement() -> None:
    seen = EventAgreement(1.0, ("direction",))
    seen.add(rows(1.0, direction="in"), rows(1.0, direction="out"), 1.0)
    seen.add(rows(9.0), rows(9.0), 9.0)
    assert (seen.compared, seen.agreed) == (2, 0)


# The rule errs in one of a hundred such trials by design: among 300 seeds it does with seed 8.
@pytest.mark.parametrize("seed", range(100, 120))
@pytest.mark.parametrize(("lost", "wanted"), [(0.10, "bad"), (0.0, "good")])
def test_a_tenth_of_the_events_decides(seed: int, lost: float, wanted: str) -> None:
    chance = random.Random(seed)
    seen = EventAgreement(1.0, ("direction",))
    judge = TrialDecision(TrialRule(judge="agreement"))
    found, at = "open", 0.0
    while found == "open" and at < 20_000:
        at += chance.uniform(0.5, 6.0)
        theirs = rows(at, direction=chance.choice(["in", "out"]))
        kept = [] if chance.random() < lost else [{**theirs[0], "at_s": at + 0.1}]
        seen.add(kept, theirs, at)
        counts = {"agreement": Counts(seen.compared - seen.agreed, seen.compared)}
        found = decision(judge.findings(counts))
    assert found == wanted


@pytest.mark.parametrize("late_s", [0.0, 0.1])
def test_losses_are_counted_however_dense_the_events_are(late_s: float) -> None:
    seen, chance = EventAgreement(1.0, ()), random.Random(5)
    for number in range(400):
        at = number / 20
        theirs = rows(at)
        late = at + late_s * chance.random()
        seen.add(rows(late) if number % 10 else [], theirs, at)
    assert seen.compared >= 300
    assert 0.08 < 1 - seen.agreed / seen.compared < 0.12


@pytest.fixture
def before(tmp_path: Path) -> Path:
    make_app(tmp_path / "lanes", frames=400, seed=3)
    return app_bundle(tmp_path, tmp_path / "lanes").folder


def trial(folder: Path, app: Path, before: Path) -> dict[str, Any]:
    """Play the film in a new version while the one before it sees the same frames."""
    bundle = app_bundle(folder, app, 2)
    model = load(from_bundle(bundle.folder), 1, 1)
    found = app_of(bundle.folder, model.source)
    assert found is not None
    (folder / "data").mkdir()
    running = RunningApp(found, model, None, folder / "data")
    shadow = AppShadow(running, TrialRequest(bundle.digest, before.name, 1.1), before)
    wait_until(lambda: shadow.loaded or bool(shadow.fault), "the app before")
    assert not shadow.fault
    running.start()
    assert running.engine.wait(60)
    wait_until(shadow.is_idle, "the last frames")
    running.stop()
    shadow.end()
    return shadow.status()


def test_equal_versions_agree_on_all_events(
    tmp_path: Path, before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = {"FILM": str(tmp_path / "lanes" / "film.avi")}
    monkeypatch.setenv("EDGEWRIGHT_APP_VARIABLES", repr(film).replace("'", '"'))
    seen = trial(tmp_path, tmp_path / "lanes", before)
    assert seen["compared"] >= 20
    assert seen["agreed"] == seen["compared"]
    assert seen["untimed"]


def test_a_version_that_sees_fewer_events_disagrees(
    tmp_path: Path, before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    film = {"FILM": str(tmp_path / "lanes" / "film.avi")}
    monkeypatch.setenv("EDGEWRIGHT_APP_VARIABLES", repr(film).replace("'", '"'))
    other = tmp_path / "other"
    # Objects of the lowest lane are not seen any more.
    make_app(other, frames=4)
    text = (other / "app.toml").read_text()
    lanes = "[steps.seen]\ntype = 'select'\ninput = 'boxes'\narea = [[0,0],[160,0],[160,46],[0,46]]"
    text = text.replace('input = "boxes"', 'input = "seen"') + lanes
    (other / "app.toml").write_text(text)
    seen = trial(tmp_path, other, before)
    assert 0 < seen["agreed"] < seen["compared"]


def test_an_app_with_other_sources_is_not_compared(
    tmp_path: Path, before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    make_app(other, frames=4)
    text = (other / "app.toml").read_text().replace("camera", "garden")
    (other / "app.toml").write_text(text)
    bundle = app_bundle(tmp_path, other, 2)
    model = load(from_bundle(bundle.folder), 1, 1)
    found = app_of(bundle.folder, model.source)
    assert found is not None
    (tmp_path / "data").mkdir()
    running = RunningApp(found, model, None, tmp_path / "data")
    shadow = AppShadow(running, TrialRequest(bundle.digest, before.name, 1.1), before)
    wait_until(lambda: bool(shadow.fault), "the sentence")
    assert shadow.fault.endswith("it has other sources.")
    running.stop()
