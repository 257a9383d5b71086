"""A studio that is killed in each phase of a deploy over SSH: a good version serves, and the same
deploy is simply repeated."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.api import Silent
from studio.deployment.liveness import server_info
from studio.packages import Bundle
from studio.runtime.release.store.layout import Layout
from studio.runtime.shared.chained_log import Journal
from studio.targets.connect import open_channel
from tests.rigs.boards import Board, network, until
from tests.rigs.bundles import make_bundle
from tests.rigs.killed_deploy import deploy_killed
from tests.unit.deployment.test_board import ROOT, Studio

pytestmark = [pytest.mark.rig, pytest.mark.slow]

PHASES = (
    "connect",
    "wheels",
    "check",
    "runtime",
    "claim",
    "transfer",
    "environment",
    "stage",
    "probe",
    "access",
    "switch",
    "clean",
)


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with network() as net, Board(net, tmp_path_factory.mktemp("board")) as made:
        yield made


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Bundle]:
    """Version 1, which serves, and one for each kill."""
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / str(number), number) for number in range(1, 2 * len(PHASES) + 2)]


@pytest.fixture(scope="module")
def studio(board: Board, bundles: list[Bundle], tmp_path_factory: pytest.TempPathFactory) -> Studio:
    studio = Studio(tmp_path_factory.mktemp("jobs"), board.spec())
    assert studio.deploy(bundles[0])["state"] == "serving"
    return studio


@pytest.mark.parametrize("delay_s", [0.0, 0.15])
@pytest.mark.parametrize("phase", PHASES)
def test_a_good_version_serves_and_the_deploy_is_repeated(
    studio: Studio, board: Board, bundles: list[Bundle], tmp_path: Path, phase: str, delay_s: float
) -> None:
    new = bundles[1 + 2 * PHASES.index(phase) + (delay_s > 0)]
    before = server_info(open_channel(studio.target, Silent()), ROOT)["digest"]
    deploy_killed(studio.target, new.folder, tmp_path, phase, delay_s)
    channel = open_channel(studio.target, Silent())
    layout = Layout(board.home / ".edgewright")
    whole = {bundle.digest for bundle in bundles}
    staged = {path.name for path in layout.releases.iterdir() if len(path.name) == 64}
    assert staged <= whole
    # The end of the connection is noticed on the board, and what it had begun is undone.
    until(
        lambda: (
            server_info(channel, ROOT)["running"]
            and server_info(channel, ROOT).get("digest") in (before, new.digest)
        ),
        f"a good version after a kill in {phase}",
        60.0,
    )
    again = studio.deploy(new)
    assert (again["state"], again["version"]) == ("serving", new.version)
    assert server_info(channel, ROOT)["digest"] == new.digest
    assert Journal(layout.log, layout.sealed).broken_at() == 0
