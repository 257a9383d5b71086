"""Decisions of a model on this computer: recorded, exported, overruled, forgotten."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.runtime.decisions.log import segments_of
from studio.workspace import Workspace
from tests.rigs.boards import until
from tests.rigs.served_decisions import INFER, OVERRIDE, Served
from tests.unit.runtime.models import make_cnn_versions

pytestmark = pytest.mark.slow


@pytest.fixture
def workspace(studio_home: Path) -> Iterator[Workspace]:
    with Workspace.open() as opened:
        yield opened
        opened.run("undeploy", target="local", purge=True)


@pytest.fixture
def served(workspace: Workspace, tmp_path: Path) -> Served:
    return Served(workspace, make_cnn_versions(tmp_path)[0])


def test_off_unless_a_deployment_says_so(workspace: Workspace, tmp_path: Path) -> None:
    served = Served(workspace, make_cnn_versions(tmp_path)[0], None)
    assert served.post(INFER, served.body(1))[0] == ""
    assert not served.folder.exists()
    found = workspace.run("decisions-list", target="local")
    assert found.ok, found.sentence
    assert not found.result.on


def test_a_deployment_that_says_nothing_leaves_it_on(served: Served, tmp_path: Path) -> None:
    other = make_cnn_versions(tmp_path)[1]
    served.ask(1)
    again = Served(served.workspace, other, None)
    again.ask(2)
    found = served.workspace.run("decisions-export", target="local", out=str(tmp_path / "e"))
    assert found.ok, found.sentence
    assert [one.decisions for one in found.result.models] == [1, 1]
    ended = Served(served.workspace, other, 0)
    until(lambda: ended.post(INFER, ended.body(3))[0] == "", "the server follows the note")


def test_from_an_answer_to_an_export(served: Served, tmp_path: Path) -> None:
    workspace = served.workspace
    first, second, third = (served.ask(seed) for seed in (1, 2, 3))
    texts = {"request": first, "decision": "no", "reason": "seen\nby eye", "by": "Ann"}
    assert served.post(OVERRIDE, json.dumps(texts).encode())[1]["by"] == "Ann"

    found = workspace.run("decisions-list", target="local", lines=3)
    assert found.ok, found.sentence
    assert [one.event for one in found.result.rows] == ["override", "decision", "decision"]
    assert (found.result.rows[0].by, found.result.days) == ("Ann", 30)

    gone = workspace.run("decisions-forget", target="local", what=second)
    assert gone.ok, gone.sentence
    file = tmp_path / "input.json"
    file.write_bytes(served.body(3))
    by_file = workspace.run("decisions-forget", target="local", what=str(file))
    assert by_file.ok, by_file.sentence
    assert (gone.result.forgotten, by_file.result.forgotten) == (1, 1)
    assert second not in served.text()
    assert hashlib.sha256(file.read_bytes()).hexdigest() not in served.text()
    assert third not in served.text()

    out = tmp_path / "export.jsonl"
    done = workspace.run("decisions-export", target="local", out=str(out))
    assert done.ok, done.sentence
    assert done.result.whole
    counts = done.result.counts
    assert (counts.decisions, counts.overrides, counts.forgotten) == (3, 1, 2)
    assert out.stat().st_mode & 0o777 == 0o600
    assert workspace.run("decisions-verify", file=str(out)).result.fault is None


def test_a_touched_record_is_refused(served: Served, tmp_path: Path) -> None:
    workspace = served.workspace
    for seed in range(3):
        served.ask(seed)
    assert workspace.run("decisions-verify", target="local").result.fault is None
    (segment,) = segments_of(served.folder)
    whole = segment.path.read_bytes()

    segment.path.write_bytes(whole.replace(b'"bytes":', b'"bites":', 1))
    found = workspace.run("decisions-verify", target="local").result.fault
    assert (found.file, found.line) == (segment.name, 2)
    assert found.reason == "the content of the entry was altered"

    segment.path.write_bytes(b"".join(whole.splitlines(keepends=True)[:2]))
    found = workspace.run("decisions-verify", target="local").result.fault
    assert found.reason == "the end was cut off: entry 4 was seen here before"

    segment.path.write_bytes(b"x" * 3_000_000 + b"\n")
    found = workspace.run("decisions-verify", target="local").result.fault
    assert found.reason == "the line is no entry of a record"


def test_places_of_personal_data(served: Served) -> None:
    served.ask(1)
    found = served.workspace.run("decisions-where", target="local")
    assert found.ok, found.sentence
    record = found.result.places[0]
    assert record.where == str(served.folder)
    assert record.bytes > 0
    assert record.kept.startswith("30 days")
    assert record.delete == "studio decisions forget local REQUEST|DIGEST|FILE"


def test_a_purge_deletes_the_record(served: Served) -> None:
    served.ask(1)
    assert served.workspace.run("undeploy", target="local", purge=True).ok
    assert not served.folder.exists()


@pytest.mark.parametrize("what", ["", "../../etc", "0" * 63, "1-abc-1"])
def test_what_is_neither_request_nor_input(workspace: Workspace, what: str) -> None:
    with pytest.raises(UsageError):
        workspace.run("decisions-forget", target="local", what=what)


@pytest.mark.parametrize(
    "given", [{"from": "2026-13-01"}, {"from": "2026-02-02", "to": "2026-02-01"}]
)
def test_periods_that_cannot_be(served: Served, given: dict[str, str], tmp_path: Path) -> None:
    out = tmp_path / "e.jsonl"
    outcome = served.workspace.run("decisions-export", target="local", out=str(out), **given)
    assert outcome.exit_code == 2
    assert not out.exists()
