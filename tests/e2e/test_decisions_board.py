"""The record of decisions of a real board over SSH: verified, exported, forgotten, altered."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Studio
from tests.rigs.boards import Board, Network, shown, until
from tests.rigs.bundles import make_bundle

pytestmark = [
    pytest.mark.slow,
    pytest.mark.rig,
    pytest.mark.needs("sshd", "ip", "unshare", "ssh-keygen"),
]

FOLDER = "/root/.edgewright/run/decisions"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(tmp_path_factory.mktemp("studio"))


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with Network() as network, Board(network, tmp_path_factory.mktemp("board")) as made:
        yield made


def test_a_record_over_ssh(studio: Studio, board: Board, tmp_path: Path) -> None:
    words = ("roof", board.url, "--key-file", board.key_file)
    studio.ok("target", "add", *words, "--accept-host-key", shown(board.host_key))
    bundle = make_bundle(tmp_path / "bundle", 1)
    more = ("--target", "roof", "--soak-s", "0", "--keep-decisions", "7")
    studio.ok("deploy", "--bundle", bundle.folder, *more, timeout=600)
    studio.ok("call", "--target", "roof", "--requests", "5")

    def decisions() -> int:
        counts = studio.ok("decisions", "list", "roof")["counts"]
        return int(counts["decisions"])

    until(lambda: decisions() >= 5, "they are on the board's disk", 60)
    verified = studio.ok("decisions", "verify", "roof")
    assert verified["fault"] is None
    request = studio.ok("decisions", "list", "roof")["rows"][0]["request"]
    words = ("--decision", "a 7", "--reason", "seen by eye", "--by", "Ada")
    assert studio.ok("decisions", "override", "roof", request, *words)["by"] == "Ada"
    assert studio.ok("decisions", "list", "roof")["counts"]["overrides"] == 1
    assert studio.ok("decisions", "forget", "roof", request)["forgotten"] == 2
    out = tmp_path / "export.jsonl"
    exported = studio.ok("decisions", "export", "roof", "--out", out)
    assert exported["counts"]["forgotten"] == 2
    assert request not in out.read_text()
    assert studio.ok("decisions", "where", "roof")["places"][0]["bytes"] > 0

    board.run("sh", "-c", f'sed -i \'3s/"bytes":/"bites":/\' {FOLDER}/000001-*.jsonl')
    ended = studio.run("decisions", "verify", "roof", "--json")
    assert ended.code == 4
    fault = json.loads(ended.out)["fault"]
    assert (fault["line"], fault["reason"]) == (3, "the content of the entry was altered")
