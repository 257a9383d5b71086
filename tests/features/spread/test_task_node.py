"""The program of a node: what it refuses, in one last event."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from studio.api import InvalidData
from studio.features.spread.document import TaskInput
from studio.features.spread.task_node import NodeTask, main
from studio.plugin_host import PluginHost
from studio.plugin_host.tool_versions import tools


def last(tmp_path: Path, **changed: Any) -> dict[str, Any]:
    """Run the program on a document; returns its last event."""
    document = {
        "step": "quantize",
        "title": "Quantize",
        "arguments": {},
        "inputs": [],
        "tools": tools(PluginHost.discover()),
        **changed,
    }
    (tmp_path / "task.json").write_text(json.dumps(document))
    assert main([str(tmp_path), str(tmp_path)]) == 0
    event: dict[str, Any] = json.loads((tmp_path / "events.jsonl").read_text().splitlines()[-1])
    return event


@pytest.mark.parametrize("step", ["deploy", "open", "sign"])
def test_another_step_is_refused(tmp_path: Path, step: str) -> None:
    assert last(tmp_path, step=step)["message"] == f"A node does not do the step {step}."


def test_an_unknown_step_is_refused(tmp_path: Path) -> None:
    assert "os:system" in last(tmp_path, step="os:system")["message"]


@pytest.mark.parametrize("place", ["../out", "0/../out", "0/..", "x/name", "0/a/b", "/etc/passwd"])
def test_an_impossible_place_of_an_input_is_refused(tmp_path: Path, place: str) -> None:
    event = last(tmp_path, inputs=[{"place": place, "digest": "a" * 64}])
    assert event["message"].startswith("The task has an input with an impossible name")


def test_an_impossible_digest_is_refused(tmp_path: Path) -> None:
    event = last(tmp_path, inputs=[{"place": "0/a", "digest": "../../../etc/passwd"}])
    assert event["message"].startswith("The task has an input with an impossible digest")


def test_an_older_studio_is_named(tmp_path: Path) -> None:
    event = last(tmp_path, tools={**tools(PluginHost.discover()), "edgewright": "0.0.1"})
    assert event["message"].endswith("but this computer 0.0.1: install the same version there.")


def test_a_document_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "task.json").write_text("{")
    main([str(tmp_path), str(tmp_path)])
    event = json.loads((tmp_path / "events.jsonl").read_text())
    assert event["message"].startswith("The document of the task cannot be read")


def test_an_input_that_changes_after_it_was_copied_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(b"agreed").hexdigest()
    (tmp_path / digest).write_bytes(b"agreed")
    (scratch := tmp_path / "scratch").mkdir()
    copied = shutil.copyfile

    def exchanged(source: Path, target: Path) -> None:
        source.write_bytes(b"other")  # after its first reading, before the copy
        copied(source, target)

    monkeypatch.setattr(shutil, "copyfile", exchanged)
    with (tmp_path / "events").open("ab", buffering=0) as events:
        task = NodeTask(tmp_path, tmp_path, scratch, events)
        with pytest.raises(InvalidData, match="The input a of the task was changed on its way"):
            task._put(TaskInput("0/a", digest))
