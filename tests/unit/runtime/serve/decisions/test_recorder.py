"""Decisions of real servers: recorded beside the requests, named in the answers, overruled."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studio.runtime.decisions.config import FILE, FOLDER, KeepingConfig
from studio.runtime.decisions.entry import ChainEntry, read_entry
from studio.runtime.decisions.log import DecisionLog, lines_of, segments_of
from tests.unit.runtime.decisions.logs import fault_in, whole_text
from tests.unit.runtime.serve import rig

pytestmark = pytest.mark.slow

MODEL = "/edgewright/models/answer"
INFER = "/v2/models/answer/infer"
TEXTS = {"decision": "negative", "reason": "a shadow", "by": "Dr A"}
JSON = {"Content-Type": "application/json"}


NOTE = KeepingConfig(30, 1 << 30)


def root_with(folder: Path, note: KeepingConfig | None = NOTE) -> Path:
    """A root of releases with one release, and a note about its record."""
    root = folder / "root"
    (root / "run").mkdir(parents=True)
    rig.switch(root, rig.bundle(root / "releases", rig.constant(folder / "m.onnx", 3), 1))
    if note is not None:
        (root / "run" / FILE).write_bytes(note.content())
    return root


def entries(root: Path) -> list[ChainEntry]:
    """All entries of the record."""
    lines = [line for one in segments_of(root / "run" / FOLDER) for line in lines_of(one.path)]
    return [entry for entry in map(read_entry, lines) if entry is not None]


def ask(
    server: rig.ServerProcess, body: bytes, path: str = INFER, **headers: str
) -> tuple[str, bytes]:
    """Id of the request, and the answer."""
    connection = server.connect()
    try:
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        assert answer.status == 200, content
        return answer.getheader("Edgewright-Request") or "", content
    finally:
        connection.close()


def overrule(server: rig.ServerProcess, **given: Any) -> tuple[int, Any]:
    """Status and answer of an override."""
    return server.call("POST", MODEL + "/override", {**TEXTS, **given}, **JSON)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return root_with(tmp_path)


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[rig.ServerProcess]:
    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log") as running:
        yield running


def test_each_answer_is_recorded_with_its_digests(root: Path, server: rig.ServerProcess) -> None:
    body = json.dumps(rig.question()).encode()
    request, answer = ask(server, body)
    server.stop()
    begun, decision, ended = entries(root)
    assert [begun.event, decision.event, ended.event] == ["begun", "decision", "ended"]
    kept = decision.kept or {}
    assert kept["request"] == request
    assert kept["input"] == hashlib.sha256(body).hexdigest()
    assert kept["answer"] == hashlib.sha256(answer).hexdigest()
    assert (kept["model"], kept["version"]) == ("answer", "1")
    assert len(str(kept["digest"])) == 64
    assert decision.at.endswith("Z")
    assert fault_in(root / "run" / FOLDER) is None
    assert "0.5" not in whole_text(root / "run" / FOLDER), "the input is not kept"


def test_requests_that_come_again_are_recorded_each(root: Path, server: rig.ServerProcess) -> None:
    head = json.dumps(
        {
            "inputs": [
                {
                    "name": "x",
                    "datatype": "FP32",
                    "shape": [1, 4],
                    "parameters": {"binary_data_size": 16},
                }
            ],
            "parameters": {"binary_data_output": True},
        }
    ).encode()
    connection = server.connect()
    seen = []
    for number in range(40):  # the same head over one connection: the fast path would take it
        body = head + np.full(4, number, np.float32).tobytes()
        length = {"Inference-Header-Content-Length": str(len(head))}
        connection.request("POST", INFER, body, length)
        answer = connection.getresponse()
        answer.read()
        seen.append(answer.getheader("Edgewright-Request"))
    connection.close()
    server.stop()
    kept = [(one.kept or {}).get("request") for one in entries(root) if one.event == "decision"]
    assert kept == seen
    assert len(set(seen)) == 40


def test_errors_are_no_decisions(root: Path, server: rig.ServerProcess) -> None:
    assert server.call("POST", INFER, {"inputs": []})[0] == 400
    server.stop()
    assert [one.event for one in entries(root)] == ["begun", "ended"]


def test_nothing_is_recorded_unless_a_deployment_says_so(tmp_path: Path) -> None:
    root = root_with(tmp_path, None)
    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
        request, _ = ask(server, json.dumps(rig.question()).encode())
        assert request == ""
        assert overrule(server, request="1-000000000000-1")[0] == 404
    assert not (root / "run" / FOLDER).exists()


def test_a_note_that_comes_later_is_followed(tmp_path: Path) -> None:
    root = root_with(tmp_path, None)
    body = json.dumps(rig.question()).encode()
    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
        ask(server, body)
        (root / "run" / FILE).write_bytes(NOTE.content())
        rig.wait_until(lambda: ask(server, body)[0] != "", "the note is followed")
        (root / "run" / FILE).write_bytes(NOTE._replace(on=False).content())
        rig.wait_until(lambda: ask(server, body)[0] == "", "the note is followed again")
    events = [one.event for one in entries(root)]
    assert (events[0], events[-1]) == ("begun", "ended")
    assert set(events[1:-1]) == {"decision"}


def test_a_server_that_ends_after_its_note_loses_no_decision(tmp_path: Path) -> None:
    root = root_with(tmp_path)
    body = json.dumps(rig.question()).encode()
    named: list[str] = []

    def is_unnamed() -> bool:
        named.append(ask(server, body)[0])
        return not named[-1]

    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
        assert not is_unnamed()
        rig.wait_until(lambda: len(entries(root)) == 2, "the decision is recorded")
        with DecisionLog(root / "run" / FOLDER).alone():  # a disk that takes its time
            (root / "run" / FILE).unlink()
            rig.wait_until(is_unnamed, "the note is gone")
            server.process.send_signal(signal.SIGTERM)
            time.sleep(1)
    kept = entries(root)
    assert len(named) > 2
    assert [(one.kept or {}).get("request") for one in kept[1:-1]] == named[:-1]
    assert (kept[0].event, kept[-1].event) == ("begun", "ended")


def test_a_decision_is_overruled(root: Path, server: rig.ServerProcess) -> None:
    request, _ = ask(server, json.dumps(rig.question()).encode())
    status, answer = overrule(server, request=request)
    assert status == 200
    assert answer["by"] == "Dr A"
    server.stop()
    found = next(one for one in entries(root) if one.event == "override")
    kept = found.kept or {}
    assert found.number == answer["entry"]
    assert (kept["request"], kept["decision"], kept["reason"]) == (request, "negative", "a shadow")
    assert entries(root)[int(str(kept["about"])) - 1].event == "decision"


@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({"request": "../../etc/passwd"}, 400),
        ({"request": "1-abcdef\nabcdef-1"}, 400),
        ({"request": "1-abcdefabcdef-1"}, 404),
        ({"request": "ffffffffffffffff-abcdefabcdef-1"}, 404),
        ({"request": 7}, 400),
        ({"by": ""}, 400),
        ({"reason": "x" * 2001}, 400),
        ({"decision": None}, 400),
        ({"more": "x"}, 400),
        ({"reason": "x" * 10_000_000}, 413),
    ],
)
def test_overrides_that_cannot_be(
    server: rig.ServerProcess, given: dict[str, Any], status: int
) -> None:
    request, _ = ask(server, json.dumps(rig.question()).encode())
    assert overrule(server, **{"request": request, **given})[0] == status


def test_an_override_of_a_form_is_refused(server: rig.ServerProcess) -> None:
    body = json.dumps({**TEXTS, "request": "1-abcdefabcdef-1"}).encode()
    kind = {"Content-Type": "text/plain"}
    assert server.call("POST", MODEL + "/override", body, **kind)[0] == 415


def test_newlines_of_an_override_begin_no_entry(root: Path, server: rig.ServerProcess) -> None:
    request, _ = ask(server, json.dumps(rig.question()).encode())
    forged = 'seen\n{"event":"decision","number":9}\r\n\u2028'
    assert overrule(server, request=request, reason=forged)[0] == 200
    server.stop()
    assert [one.event for one in entries(root)] == ["begun", "decision", "override", "ended"]
    assert fault_in(root / "run" / FOLDER) is None


def test_a_killed_server_leaves_a_whole_chain(root: Path, tmp_path: Path) -> None:
    body = json.dumps(rig.question()).encode()
    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
        request, _ = ask(server, body)
        folder = root / "run" / FOLDER
        rig.wait_until(lambda: request in whole_text(folder), "it is on the disk")
        worker = server.get("/edgewright/status")[1]["pid"]
        os.kill(worker, signal.SIGKILL)

        def replaced() -> bool:
            try:
                return bool(server.get("/edgewright/status")[1]["pid"] != worker)
            except (OSError, http.client.HTTPException):
                return False

        # One that is ended while it starts has nothing to end in its record.
        rig.wait_until(replaced, "another worker serves")
    events = [one.event for one in entries(root)]
    assert events == ["begun", "decision", "begun", "ended"], "no ended: it was killed"
    assert fault_in(root / "run" / FOLDER) is None


def test_a_swap_loses_nothing(root: Path, server: rig.ServerProcess, tmp_path: Path) -> None:
    body = json.dumps(rig.question()).encode()
    sent = [ask(server, body)[0] for _ in range(5)]
    release = rig.bundle(root / "releases", rig.constant(tmp_path / "n.onnx", 5), 2)
    rig.switch(root, release)
    server.hang_up()

    def swapped() -> bool:
        sent.append(ask(server, body)[0])
        status: str = server.get("/edgewright/status")[1]["digest"]
        return status == release.name

    rig.wait_until(swapped, "the other release serves")
    sent.append(ask(server, body)[0])
    server.stop()
    kept = {str((one.kept or {}).get("request")) for one in entries(root)}
    assert set(sent) <= kept
    versions = {(one.kept or {}).get("version") for one in entries(root)}
    assert {"1", "2"} <= versions
    assert fault_in(root / "run" / FOLDER) is None


def test_a_full_record_counts_what_it_does_not_keep(tmp_path: Path) -> None:
    root = root_with(tmp_path, KeepingConfig(30, 1))
    body = json.dumps(rig.question()).encode()
    with rig.ServerProcess(f"--root={root}", log=tmp_path / "log") as server:
        for _ in range(7):
            ask(server, body)
        server.get("/edgewright/status")
    lost = [int(str((one.kept or {})["lost"])) for one in entries(root) if one.event == "gap"]
    assert sum(lost) == 7
    gap = next(one for one in entries(root) if one.event == "gap")
    assert (gap.kept or {})["why"] == "the record has no room left"
    assert fault_in(root / "run" / FOLDER) is None
