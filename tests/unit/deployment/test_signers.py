"""Who may release on a target, read from what lies there: keys, since when, by whom."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from studio.deployment.trust import admitted
from studio.documents.dataclass_json import to_json
from studio.runtime.release.intake.signers import fingerprint, signers_in
from studio.targets import inventory
from tests.unit.runtime.release.intake.test_signature import KINDS, line_of, make_key
from tests.unit.runtime.release.machine import Machine, machine

pytestmark = pytest.mark.needs("ssh-keygen")


@pytest.fixture
def board(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "root") as made:
        yield made


def told(root: Path) -> dict[str, Any]:
    """What the script finds out in a real shell."""
    command = ["sh", "-c", inventory.SCRIPT, "sh", str(root)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return dict(to_json(admitted(inventory.parse(done.stdout))))


def listed(key: Path) -> str:
    """The fingerprint as OpenSSH prints it."""
    command = ["ssh-keygen", "-l", "-f", str(key.with_suffix(".pub"))]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    return done.stdout.split()[1]


@pytest.mark.parametrize("kind", KINDS)
def test_fingerprints_are_those_of_openssh(tmp_path: Path, kind: str) -> None:
    key = make_key(tmp_path / "key", kind)
    (one,) = signers_in("# comment\n\n" + line_of(key, '"ann@desk"', 'namespaces="edgewright"'))
    assert (one.name, one.limits) == ("ann@desk", 'namespaces="edgewright"')
    assert one.fingerprint == listed(key)


def test_what_is_no_key_has_no_fingerprint() -> None:
    assert fingerprint("not base64!") == ""
    assert fingerprint("ключ") == ""
    assert signers_in("ann ssh-ed25519\nann\nssh-ed25519 AAAA\n") == []


def test_a_target_that_takes_everybodys_says_so(board: Machine, tmp_path: Path) -> None:
    nobody = {"file": "", "fixed": False, "keys": [], "changed": "", "by": ""}
    assert told(tmp_path / "never used") == nobody
    assert told(board.layout.root) == nobody


def test_each_key_stands_with_the_day_since_which_it_is_admitted(
    board: Machine, tmp_path: Path
) -> None:
    ann, bob = make_key(tmp_path / "ann"), make_key(tmp_path / "bob")
    board.ok("trust", signers=line_of(ann))
    board.ok("trust", signers=line_of(ann) + line_of(bob, "bob@den").rstrip("\n"))
    found = told(board.layout.root)
    entries = [json.loads(line) for line in board.layout.log.read_text().splitlines()]
    first, second = (entry["at"] for entry in entries)
    assert found["file"] == str(board.layout.signers)
    names = [(one["name"], one["fingerprint"]) for one in found["keys"]]
    assert names == [("ann@desk", listed(ann)), ("bob@den", listed(bob))]
    for one, at in zip(found["keys"], (first, second), strict=True):
        assert abs(datetime.fromisoformat(one["since"]).timestamp() - at) <= 1
        assert one["by"] == entries[0]["owner"]
    assert found["changed"] == found["keys"][1]["since"]
    # The releases and the state are still found behind what somebody wrote.
    (board.layout.root / "state.json").write_text('{"current": "abc"}')
    board.layout.signers.write_text(line_of(ann, "state") + "state\nsigners=\n")
    command = ["sh", "-c", inventory.SCRIPT, "sh", str(board.layout.root)]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert inventory.parse(text).current == "abc"
    assert inventory.parse(text).signers_file == str(board.layout.signers)


def test_another_key_under_an_old_name_is_not_as_old_as_the_name(
    board: Machine, tmp_path: Path
) -> None:
    ann, eve = make_key(tmp_path / "ann"), make_key(tmp_path / "eve")
    board.ok("trust", signers=line_of(ann))
    board.layout.signers.write_text(line_of(eve))  # past the release machine
    (one,) = told(board.layout.root)["keys"]
    assert (one["name"], one["fingerprint"]) == ("ann@desk", listed(eve))
    assert (one["since"], one["by"]) == ("", "")


def test_the_record_of_an_older_runtime_knows_no_keys(board: Machine, tmp_path: Path) -> None:
    ann = make_key(tmp_path / "ann")
    board.ok("trust", signers=line_of(ann))
    entry = json.loads(board.layout.log.read_text())
    del entry["keys"]
    board.layout.log.write_text(json.dumps(entry, sort_keys=True, separators=(",", ":")) + "\n")
    found = told(board.layout.root)
    assert found["keys"][0]["since"] == ""
    assert found["by"] == entry["owner"]
    assert found["changed"]
