"""The sample triage from the command to the board: equal probabilities, refusals, an override."""

from __future__ import annotations

import json
import secrets
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from studio.api import Silent
from studio.samples.triage.files import write
from tests.e2e.conftest import Studio
from tests.rigs.boards import until

TARGET = "local/triage"
ROWS = 200


def get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return json.load(answer)


def post(url: str, document: dict[str, str]) -> Any:
    body = json.dumps(document).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def delivered(endpoint: str) -> int:
    """Events that the sink of the app has taken."""
    return int(get(f"{endpoint}/edgewright/app")["sinks"]["log"]["delivered"])


def test_from_the_sample_to_the_board(studio: Studio, tmp_path: Path) -> None:
    began = time.monotonic()
    sample = Path(studio.ok("samples", "get", "triage")["folder"])
    deployed = studio.ok("deploy", sample, "--target", TARGET)
    seconds = time.monotonic() - began
    print(f"{seconds:.1f} s from the sample to the served app")
    try:
        assert deployed["version"]
        compare(studio, sample, deployed["endpoint"], tmp_path)
        override(deployed["endpoint"])
    finally:
        studio.run("undeploy", "--target", TARGET, "--purge")


def compare(studio: Studio, sample: Path, endpoint: str, folder: Path) -> None:
    """Board and desk give the same answers to the same rows, each with the notice."""
    path = folder / "desk.jsonl"
    studio.ok("app", "run", sample, "--events", path)
    desk = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    url = f"{endpoint}/edgewright/app/events?limit=1000"
    until(lambda: len(get(url)["events"]) == ROWS, "all rows are assessed")
    board = get(url)["events"]
    assert len(board) == len(desk) == ROWS
    gaps = [
        abs(one["probability"] - other["probability"])
        for one, other in zip(board, desk, strict=True)
        if "probability" in other
    ]
    print(f"largest difference of {len(gaps)} probabilities: {max(gaps):.1e}")
    assert max(gaps) <= 1e-5
    assert [one["kind"] for one in board] == [one["kind"] for one in desk]
    refused = [one["refused"] for one in board if one["kind"] == "refused"]
    assert "heart_rate is 320 /min, outside 20 to 250 /min." in refused
    assert all("never for clinical use" in one["notice"] for one in board)
    assert "never for clinical use" in get(f"{endpoint}/edgewright/app")["notice"]


def override(endpoint: str) -> None:
    """A person's decision is listed after the event that it is about."""
    events = get(f"{endpoint}/edgewright/app/events?limit=1000")["events"]
    about = next(one for one in events if one.get("decision") == "refer")
    given = {"event": about["id"], "decision": "positive", "reason": "pale", "by": "a nurse"}
    stored = post(f"{endpoint}/edgewright/app/overrides", given)
    (last,) = get(f"{endpoint}/edgewright/app/events?limit=1")["events"]
    assert last == stored
    assert (last["kind"], last["was"], last["event"]) == ("override", "refer", about["id"])
    assert "never for clinical use" in last["notice"]
    until(lambda: delivered(endpoint) == ROWS + 1, "the override is delivered")


@pytest.mark.parametrize("number", range(2))
def test_models_of_fresh_seeds_pass(studio: Studio, tmp_path: Path, number: int) -> None:
    seed = secrets.randbelow(1 << 31)
    print(f"seed {seed}")
    folder = tmp_path / "triage"
    studio.ok("samples", "get", "triage", "--out", folder)
    write(folder, seed, Silent())
    quality = json.loads((folder / "quality.json").read_text("utf-8"))
    print(quality)
    low, high = quality["auc_95"]
    assert 0.77 < low < quality["auc"] < high < 0.87
    assert quality["calibration_error"] < 0.02
    assert studio.ok("app", "test", folder)["f1"] == 1.0
