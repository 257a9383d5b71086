"""Answers of a language model in the record of decisions: whole ones, streams, overrides."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.runtime.decisions.config import FILE, FOLDER, KeepingConfig
from studio.runtime.decisions.entry import ChainEntry, read_entry
from studio.runtime.decisions.log import lines_of, segments_of
from tests.unit.runtime.serve.rig import wait_until
from tests.unit.runtime.serve.texts.byte_server import ByteServer
from tests.unit.runtime.serve.texts.test_guard import bundle_of

ANSWER = "The answer is nine."
BODY: dict[str, object] = {"prompt": "my secret question\n", "max_tokens": 60, "temperature": 0}
COMPLETIONS = "/v1/completions"
RELEASE = "releases/" + "a" * 64


def root_of(folder: Path, record: bool) -> Path:
    """Return the folder of a release, with a record of its answers or without."""
    root = folder / "root"
    rules = [{"name": "one", "words": ["never"]}]
    bundle_of(root / RELEASE, rules, text=ANSWER)
    (root / "run").mkdir()
    if record:
        (root / "run" / FILE).write_bytes(KeepingConfig(30, 1 << 30).content())
    return root


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return root_of(tmp_path, record=True)


@pytest.fixture
def server(root: Path, tmp_path: Path) -> Iterator[ByteServer]:
    with ByteServer(f"--bundle={root / RELEASE}", log=tmp_path / "log") as running:
        yield running


def decisions(root: Path) -> list[ChainEntry]:
    """Return the recorded decisions and overrides."""
    lines = [line for one in segments_of(root / "run" / FOLDER) for line in lines_of(one.path)]
    found = [entry for entry in map(read_entry, lines) if entry is not None]
    return [entry for entry in found if entry.event in ("decision", "override")]


def kept(root: Path) -> dict[str, Any]:
    """Return the content of the only entry."""
    wait_until(lambda: len(decisions(root)) == 1, "the entry")
    [entry] = decisions(root)
    assert entry.kept is not None
    return entry.kept


def ask(server: ByteServer, **more: object) -> tuple[str, bytes, bytes]:
    """Return the id of a request, its body and the answer."""
    connection = server.connect()
    body = json.dumps({**BODY, **more}).encode()
    try:
        connection.request("POST", COMPLETIONS, body)
        response = connection.getresponse()
        return response.getheader("Edgewright-Request") or "", body, response.read()
    finally:
        connection.close()


def test_a_whole_answer_is_recorded(root: Path, server: ByteServer) -> None:
    request, body, answer = ask(server)
    found = kept(root)
    assert found["request"] == request
    assert found["input"] == hashlib.sha256(body).hexdigest()
    assert found["answer"] == hashlib.sha256(answer).hexdigest()
    assert found["meaning"] == ANSWER


def test_a_stream_is_recorded_by_its_text(root: Path, server: ByteServer) -> None:
    request, body, _ = ask(server, stream=True)
    found = kept(root)
    assert found["request"] == request
    assert found["input"] == hashlib.sha256(body).hexdigest()
    assert found["answer"] == hashlib.sha256(ANSWER.encode()).hexdigest()
    assert found["meaning"] == ANSWER


def test_a_prompt_is_not_kept(root: Path, server: ByteServer) -> None:
    ask(server)
    kept(root)
    files = [path for path in (root / "run").rglob("*") if path.is_file()]
    assert files
    assert not any(b"secret question" in path.read_bytes() for path in files)


def test_a_person_corrects_an_answer(root: Path, server: ByteServer) -> None:
    request, _, _ = ask(server, stream=True)
    text = "The answer is ten. " * 100
    given = {"request": request, "decision": text, "reason": "counted", "by": "Ada"}
    path = "/edgewright/models/guarded/override"
    status, _ = server.call("POST", path, given, **{"Content-Type": "application/json"})
    assert status == 200
    entry = decisions(root)[-1]
    assert entry.kept is not None
    assert entry.kept["decision"] == text.strip()
    assert entry.kept["was"] == ANSWER
    given["decision"] = "x" * 4001
    status, answer = server.call("POST", path, given, **{"Content-Type": "application/json"})
    assert status == 400
    assert "4,000" in str(answer)


def test_a_refused_prompt_is_no_decision(root: Path, server: ByteServer) -> None:
    status, _ = server.call("POST", COMPLETIONS, {**BODY, "prompt": "never\n"})
    assert status == 400
    ask(server)
    assert kept(root)["meaning"] == ANSWER


def test_nothing_is_kept_unless_wanted(tmp_path: Path) -> None:
    root = root_of(tmp_path, record=False)
    with ByteServer(f"--bundle={root / RELEASE}", log=tmp_path / "log") as server:
        request, _, _ = ask(server)
        assert request == ""
    assert not (root / "run" / FOLDER).exists()
