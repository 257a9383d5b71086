"""The card of speed and quality on the Monitor page, fed by the page's events."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from studio.documents.dataclass_json import from_json
from studio.gui.pages.monitor import quality_card, quality_rows
from studio.gui.pages.monitor.page import MonitorPage
from studio.gui.pages.monitor.quality_rows import QualityRow, agreement
from studio.jobs import End
from studio.monitoring.endpoint.results import Agreement
from studio.monitoring.results import TargetSample
from studio.runtime.serve.statistics.speed_monitor import of_profiles
from studio.workspace import JobMessage, JobOutcome
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.gui.pages.monitor.test_page import SAMPLE, served

SLOWER = "1.32 times the median profiled (1.20 to 1.45): slower; clock capped at 600 of 1800 MHz."
PACE = {"verdict": "slower", "ratio": 1.324, "low": 1.2, "high": 1.45, "text": SLOWER, "note": ""}
BOARD = {
    "throttled": ["clock capped at 600 of 1800 MHz"],
    "clock_mhz": 600.0,
    "most_mhz": 1800.0,
    "celsius": 84.2,
    "others": 0.5,
    "stolen": 0.0,
}
ESTIMATE = {
    "accuracy": 0.941,
    "low": 0.93,
    "high": 0.952,
    "frames": 2048,
    "reference": 0.981,
    "why": "",
}
MIRROR = {"compared": 440, "agreed": 439, "low": 0.987, "high": 0.9996, "fault": ""}
KEPT = {"kept": 10, "most": 200, "bytes": 1.25e6, "most_bytes": 64e6, "looked": 450, "fault": ""}
FULL: dict[str, Any] = {
    **SAMPLE,
    "pace": PACE,
    "board": BOARD,
    "drift_state": {"estimate": ESTIMATE},
    "mirror": MIRROR,
    "samples": KEPT,
}


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


@pytest.fixture
def page(rig: Rig) -> MonitorPage:
    served(rig)
    return rig.page(MonitorPage)


def ended(taken: dict[str, Any]) -> JobOutcome:
    """The end of a job that fetched or deleted samples."""
    result = from_json(TargetSample, {**FULL, "taken": taken})
    return JobOutcome(End.SUCCEEDED, result=result)


def row_of(page: MonitorPage, name: str) -> QualityRow:
    return next(row for row in page.quality.rows if row.name == name)


def test_each_row_has_a_figure_an_interval_and_a_sentence(rig: Rig, page: MonitorPage) -> None:
    assert quality_card.NOT_YET in visible_texts(page)
    rig.message(page, "sample", **FULL)
    assert page.quality.rows == (
        QualityRow("Speed", "1.32× the time", "warning", "1.20 to 1.45", SLOWER),
        QualityRow(
            "Board",
            "600 of 1800 MHz",
            "warning",
            "84 °C",
            "Throttled: clock capped at 600 of 1800 MHz. Other programs keep 0.5 processors busy.",
        ),
        QualityRow(
            "Accuracy, estimated",
            "94.1%",
            "warning",
            "93.0 to 95.2%",
            "Estimated without labels from 2\u2009048 requests; 98.1% of its reference data: lower "
            "than there.",
        ),
        QualityRow(
            "Agreement",
            "99.8%",
            "",
            "98.7 to 100.0%",
            "Agreement with the previous release over 440 requests.",
        ),
        QualityRow(
            "Uncertain requests",
            "10 of 200",
            "",
            "1.2 MB of 64.0 MB",
            "The least confident requests, kept on the target for labelling.",
        ),
    )
    shown = visible_texts(page.quality).splitlines()
    for row in page.quality.rows:
        assert {row.name, row.figure, row.beside, row.text} <= set(shown)
    assert quality_card.NOT_YET not in shown


def test_the_divergence_of_a_language_model() -> None:
    answers = {"answers": 40, "diverging": 2, "divergence": 0.0012, "same_top": 0.991}
    found = agreement(Agreement(**MIRROR, **answers))
    assert found.text == (
        "Agreement with the previous release over 440 requests. "
        "KL divergence 0.0012 nats a token over 40 answers."
    )


def test_what_is_not_there_says_what_turns_it_on(rig: Rig, page: MonitorPage) -> None:
    pace = {
        "verdict": "",
        "ratio": None,
        "text": "Too few requests in the last minute (3) to say.",
        "note": "The bundle holds no profile of this model.",
    }
    rig.message(page, "sample", **SAMPLE, pace=pace, drift_state={}, mirror=None, samples=None)
    assert [row.figure for row in page.quality.rows] == ["—"] * 4, "without a board, no row of it"
    speed = row_of(page, "Speed")
    assert speed.text == f"{pace['text']} {pace['note']} {quality_rows.PROFILE}"
    threads = "It was profiled with 4 threads and is served with 1: profile it with that."
    _, note = of_profiles({"profiles": [{"machine": {}, "threads": 4}]}, {}, 1)
    assert note == threads, "the card looks at the words of the runtime"
    rig.message(page, "sample", **{**SAMPLE, "pace": {**pace, "note": threads}})
    assert row_of(page, "Speed").text == f"{pace['text']} {threads} Then deploy again."
    assert row_of(page, "Accuracy, estimated").text == quality_rows.ESTIMATE
    assert row_of(page, "Agreement").text == quality_rows.AGREEMENT
    assert row_of(page, "Uncertain requests").text == quality_rows.SAMPLES
    assert not page.quality.fetch.isVisible()
    options = {option.title for option in rig.workspace.steps["deploy"].form}
    assert {"Keep uncertain requests", "Shadow comparison with previous release"} <= options


def test_a_verdict_without_words_gets_some(rig: Rig, page: MonitorPage) -> None:
    text = "1.71 times the median profiled (1.60 to 1.84)."
    for verdict, tone, words in (
        ("as measured", "good", "Not slower than the profile."),
        ("undecided", "", "Inconclusive: the confidence interval is too wide."),
    ):
        pace = {**PACE, "of": "profile", "verdict": verdict, "text": text}
        rig.message(page, "sample", **{**FULL, "pace": pace})
        assert row_of(page, "Speed").tone == tone
        assert row_of(page, "Speed").text.endswith(words)


def test_a_baseline_of_the_start_is_not_called_a_profile(rig: Rig, page: MonitorPage) -> None:
    pace = {**PACE, "of": "start", "verdict": "as measured", "text": "1.02 times the start."}
    rig.message(page, "sample", **{**FULL, "pace": pace})
    text = row_of(page, "Speed").text
    assert text.startswith("1.02 times the start. Not slower than at the start.")
    assert "the profile" not in text


def test_drift_and_faults_are_told_in_the_words_of_the_target(rig: Rig, page: MonitorPage) -> None:
    why = "What the model sees differs from its reference data: then estimates are wrong."
    state = {"estimate": {"accuracy": None, "why": why}}
    full = {**KEPT, "fault": "Samples were lost: No space left on device."}
    ended = {**MIRROR, "fault": "The comparison ended: killed."}
    sample = {**FULL, "drift_state": state, "samples": full, "mirror": ended}
    rig.message(page, "sample", **sample)
    assert row_of(page, "Accuracy, estimated")[1:] == ("—", "", "", why)
    for name, fault in (("Uncertain requests", full["fault"]), ("Agreement", ended["fault"])):
        assert row_of(page, name).tone == "warning"
        assert row_of(page, name).text.endswith(str(fault))


def test_true_answers_have_a_row_of_their_own(rig: Rig, page: MonitorPage) -> None:
    labels = {"matched": 450, "accuracy": 0.98, "low": 0.962, "high": 0.99}
    rig.message(page, "sample", **FULL, labels=labels)
    assert row_of(page, "Accuracy").figure == "98.0%"
    assert row_of(page, "Accuracy").beside == "96.2 to 99.0%"
    rig.message(page, "sample", **FULL)
    assert "Accuracy" not in visible_texts(page.quality).splitlines(), (
        "the row that is left over is hidden"
    )


def test_a_server_that_tells_nothing_or_is_gone_gets_a_sentence(
    rig: Rig, page: MonitorPage
) -> None:
    rig.message(page, "sample", **SAMPLE)
    assert quality_card.NONE_TOLD in visible_texts(page)
    rig.message(page, "sample", **FULL)
    rig.message(page, "sample", **{**SAMPLE, "health": "unreachable"})
    assert quality_card.NO_ANSWER in visible_texts(page)
    assert SLOWER not in visible_texts(page)
    assert not page.quality.fetch.isVisible()


def test_samples_are_fetched_into_a_new_folder(
    rig: Rig, page: MonitorPage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (command,) = [one for one in page.actions() if one.text().startswith("Fetch uncertain")]
    assert not command.isEnabled()
    rig.message(page, "sample", **FULL)
    assert command.isEnabled()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    page.quality.fetch.click()
    assert len(rig.shell.jobs) == 1, "no folder was chosen"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    page.quality.fetch.click()
    live, job = rig.shell.jobs
    folder = Path(job.options["samples"])
    assert (job.step, set(job.options)) == ("monitor", {"target", "samples"})
    assert folder.parent == tmp_path
    assert folder.name.startswith("uncertain-local-")
    assert not page.quality.delete.isEnabled(), "not while they are fetched"
    page.on_event(JobMessage(live, "sample", FULL))  # type: ignore[arg-type]
    assert not command.isEnabled()
    taken = {"folder": str(folder), "fetched": 10, "damaged": 1}
    rig.finish(page, ended(taken))
    assert page.quality.done.text().startswith(f"10 fetched into {folder}, 1 damaged")
    assert page.quality.delete.isEnabled()
    assert command.isEnabled()
    assert not live.cancelled, "the live view goes on"


def test_deleting_is_asked_first(rig: Rig, page: MonitorPage) -> None:
    rig.message(page, "sample", **FULL)
    page.quality.delete.click()
    assert len(rig.shell.jobs) == 1
    assert "Delete the kept requests on the target (10)? This cannot be undone." in visible_texts(
        page
    )
    assert not page.quality.delete.isVisible()
    page.quality.confirm.click()
    assert rig.shell.jobs[-1].options == {"target": "local", "delete_samples": True}
    rig.finish(
        page,
        JobOutcome(
            End.SUCCEEDED, result=from_json(TargetSample, {**FULL, "taken": {"deleted": 10}})
        ),
    )
    assert page.quality.done.text() == "10 deleted on the target."
    assert row_of(page, "Uncertain requests").figure == "0 of 200"
    assert not page.quality.fetch.isVisible(), "there is none any more"


def test_a_lost_job_gives_the_buttons_back(rig: Rig, page: MonitorPage) -> None:
    rig.message(page, "sample", **FULL)
    page.quality.delete.click()
    page.quality.confirm.click()
    rig.finish(page, JobOutcome(End.FAILED))
    assert page.quality.fetch.isEnabled()
    assert not page.quality.done.isVisible()


def test_the_accelerator_has_a_row_where_one_is_wanted() -> None:
    works = {
        "wanted": ["tensorrt"],
        "used": ["tensorrt", "cpu"],
        "nodes": {"tensorrt": 9, "cpu": 1},
    }
    lost = {
        "wanted": ["cuda"],
        "used": ["cpu"],
        "fallback": "CUDA: no driver. Computed by CPU instead.",
    }
    found = []
    for one in ({**works, "fallback": ""}, lost, {"wanted": [], "used": ["cpu"]}):
        rows = quality_rows.rows_of(from_json(TargetSample, {**FULL, "placement": one}))
        found.append([row for row in rows if row.name == "Accelerator"])
    (good,), (bad,), none = found
    assert (good.figure, good.tone) == ("TensorRT, CPU", "good")
    assert good.text == "Wanted: TensorRT. Nodes: TensorRT 9, CPU 1."
    assert (bad.figure, bad.tone, bad.text) == ("CPU", "warning", lost["fallback"])
    assert none == []
