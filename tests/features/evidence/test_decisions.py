"""A record of decisions in a folder of evidence, and what finds that it was altered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.features.evidence.folder.manifest import MANIFEST
from studio.workspace import Workspace
from tests.rigs.served_decisions import OVERRIDE, Served
from tests.unit.runtime.models import make_cnn_versions

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened
        opened.run("undeploy", target="local", purge=True)


def test_the_chain_finds_an_altered_record_under_a_list_written_again(
    workspace: Workspace, tmp_path: Path
) -> None:
    served = Served(workspace, make_cnn_versions(tmp_path)[0])
    requests = [served.ask(seed) for seed in (1, 2, 3)]
    override = {"request": requests[0], "decision": "no", "reason": "seen\nby eye", "by": "Ann"}
    served.post(OVERRIDE, json.dumps(override).encode())
    for request in requests[1:]:
        assert workspace.run("decisions-forget", target="local", what=request).ok
    out = tmp_path / "export.jsonl"
    assert workspace.run("decisions-export", target="local", out=str(out)).ok

    folder = tmp_path / "evidence"
    made = workspace.run("evidence", model=f"{served.name}:1", out=str(folder))
    assert made.ok, made.sentence
    states = {section.id: section.state for section in made.result.sections}
    assert (states["logs.export"], states["oversight.overrides"]) == ("present", "present")
    assert workspace.run("evidence-verify", folder=str(folder)).result.holds
    (copy,) = folder.glob("records/decisions-export-*/decisions.jsonl")
    assert copy.read_bytes() == out.read_bytes()

    name = copy.relative_to(folder).as_posix()
    _alter(copy, folder / MANIFEST, name)
    again = workspace.run("evidence-verify", folder=str(folder)).result
    reasons = [altered.what for altered in again.altered if altered.path == name]
    assert any("line 6" in reason and "was altered" in reason for reason in reasons), reasons
    assert not again.holds


def _alter(record: Path, listing: Path, name: str) -> None:
    altered = record.read_bytes().replace(b'"Ann"', b'"Bob"')
    record.write_bytes(altered)
    listed = json.loads(listing.read_text())
    (entry,) = (file for file in listed["files"] if file["path"] == name)
    entry["digest"] = hashlib.sha256(altered).hexdigest()
    listing.write_text(json.dumps(listed, indent=1, sort_keys=True) + "\n")
