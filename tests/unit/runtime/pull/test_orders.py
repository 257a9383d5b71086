"""An older release by an order that is signed for the step back from what a board serves."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.runtime.release.store.latest_releases import LastRelease, order_of
from studio_hawkbit.container import name_in, name_of, write
from studio_hawkbit.orders import FleetOrder, order_to
from studio_hawkbit.server import Software
from tests.rigs.pull.artifacts import parcel_of
from tests.rigs.pull.board import NAME, PullBoard
from tests.rigs.pull.ddi_server import DdiServer, Offer
from tests.unit.runtime.pull.conftest import MakeBoard

pytestmark = pytest.mark.slow

REASON = "version 2 misses scratches"


@pytest.fixture
def keys(tmp_path: Path) -> list[Path]:
    """The key of an allowed signer, and another one."""
    made = [tmp_path / name for name in ("ours", "theirs")]
    for path in made:
        words = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
        subprocess.run(words, check=True)
    return made


def artefact(bundle: Bundle, folder: Path, key: Path, order: bytes = b"") -> bytes:
    """An artefact of a signed bundle."""
    manifest = bundle.folder / "manifest.json"
    words = ["ssh-keygen", "-Y", "sign", "-n", "edgewright", "-f", str(key), str(manifest)]
    manifest.with_name("manifest.json.sig").unlink(missing_ok=True)
    subprocess.run(words, check=True, capture_output=True)
    path = folder / "artefact.swu"
    write(parcel_of(bundle), path, "default", order)
    manifest.with_name("manifest.json.sig").unlink()
    return path.read_bytes()


@pytest.fixture
def board(
    make_board: MakeBoard,
    server: DdiServer,
    bundles: list[Bundle],
    keys: list[Path],
    tmp_path: Path,
) -> PullBoard:
    """A board that serves version 2 and obeys the first key alone."""
    one = make_board(unsigned=False)
    public = keys[0].with_suffix(".pub").read_text()
    one.machine.layout.signers.write_text(f"ann@desk {public}")
    server.offer(NAME, Offer("1", artefact(bundles[1], tmp_path, keys[0])))
    one.poll()
    assert one.current == bundles[1].digest
    return one


@pytest.mark.parametrize(
    ("signer", "goes_back"), [(None, False), (1, False), (0, True)], ids=["none", "other", "ours"]
)
def test_only_an_allowed_signer_orders_a_step_back(
    board: PullBoard,
    server: DdiServer,
    bundles: list[Bundle],
    keys: list[Path],
    tmp_path: Path,
    signer: int | None,
    goes_back: bool,
) -> None:
    key = None if signer is None else keys[signer]
    order = FleetOrder(bundles[0].digest, REASON, (bundles[1].digest,), key)
    server.offer(NAME, Offer("2", artefact(bundles[0], tmp_path, keys[0], order.content())))
    board.poll()
    assert (board.current == bundles[0].digest) is goes_back
    assert server.outcomes(NAME) == ["success", "success" if goes_back else "failure"]


def test_an_order_from_another_release_is_not_valid(
    board: PullBoard, server: DdiServer, bundles: list[Bundle], keys: list[Path], tmp_path: Path
) -> None:
    order = FleetOrder(bundles[0].digest, REASON, ("f" * 64,), keys[0])
    server.offer(NAME, Offer("2", artefact(bundles[0], tmp_path, keys[0], order.content())))
    board.poll()
    assert board.current == bundles[1].digest
    assert "this downgrade is not signed" in server.sentences(NAME)


@pytest.mark.parametrize("orders", [[], 7, {"a": 1}, "x"])
def test_an_order_of_another_form_is_refused(
    board: PullBoard,
    server: DdiServer,
    bundles: list[Bundle],
    keys: list[Path],
    tmp_path: Path,
    orders: object,
) -> None:
    order = json.dumps({"downgrade": REASON, "orders": orders}).encode()
    server.offer(NAME, Offer("2", artefact(bundles[0], tmp_path, keys[0], order)))
    board.poll()
    assert board.current == bundles[1].digest
    assert server.outcomes(NAME) == ["success", "failure"]


def test_the_signed_text_is_that_of_the_release_machine() -> None:
    order = FleetOrder("a" * 64, "weil es späht", ("b" * 64,), None)
    lines = {"cnn": LastRelease(release="b" * 64)}
    assert order._text("b" * 64) == order_of(lines, "cnn", "a" * 64, "weil es späht")


def test_an_order_is_for_each_other_release_of_the_model(bundles: list[Bundle]) -> None:
    names = [name_of(parcel_of(one)) for one in bundles]
    known = [Software(number, one, 1) for number, one in enumerate(names)]
    found = order_to(names[0].digest, "cnn", f"  {REASON}\n", [*known, Software(9, None, 1)], None)
    assert found is not None
    assert (found.reason, found.origins) == (REASON, (names[1].digest,))
    assert order_to(names[0].digest, "cnn", "", known, None) is None
    back = name_of(parcel_of(bundles[0]), back=found.mark)
    assert name_in(back.file) == back
    assert back.file != names[0].file
