"""What a hostile server can make of signed releases and orders: mixed, repeated, of lost keys."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from studio.packages import Bundle
from studio.runtime.release.store.latest_releases import LastRelease, order_of
from studio_hawkbit.container import add, finish, name_in, name_of, write
from studio_hawkbit.orders import FleetOrder, order_to
from studio_hawkbit.server import Software
from tests.rigs.bundles import make_bundle
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


def test_an_order_is_obeyed_once(
    board: PullBoard, server: DdiServer, bundles: list[Bundle], keys: list[Path], tmp_path: Path
) -> None:
    orders = [
        FleetOrder(bundles[0].digest, reason, (bundles[1].digest,), keys[0]).content()
        for reason in (REASON, "version 2 is slow")
    ]
    newer = artefact(bundles[1], tmp_path, keys[0])
    back, again = (artefact(bundles[0], tmp_path, keys[0], order) for order in orders)
    for number, content in enumerate((back, newer, back, again), 2):
        server.offer(NAME, Offer(str(number), content))
        board.machine.layout.state.unlink()  # it is made again from the journal
        board.poll()
    assert server.outcomes(NAME) == ["success", "success", "success", "failure", "success"]
    assert "was obeyed before" in server.sentences(NAME)
    assert board.current == bundles[0].digest


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


@pytest.mark.parametrize(
    ("part", "sentence"),
    [
        ("signature", "does not fit the bundle"),
        ("files", "lacks the file"),
        ("content", "was damaged during the upload"),
        ("order as signature", "does not fit the bundle"),
    ],
)
def test_parts_of_two_signed_releases_are_not_mixed(
    make_board: MakeBoard,
    server: DdiServer,
    bundles: list[Bundle],
    keys: list[Path],
    tmp_path: Path,
    part: str,
    sentence: str,
) -> None:
    board = make_board(unsigned=False)
    board.machine.layout.signers.write_text(f"ann@desk {keys[0].with_suffix('.pub').read_text()}")
    members: list[dict[str, bytes]] = []
    for bundle in bundles:
        content = {name: path.read_bytes() for name, path in parcel_of(bundle).members.items()}
        members.append({**content, "manifest.json.sig": signed(bundle.text.encode(), keys[0])})
    mixed = dict(members[0])
    files = json.loads(bundles[0].text)["files"]
    model = next(entry["sha256"] for name, entry in files.items() if name.endswith(".onnx"))
    if part == "signature":
        mixed["manifest.json.sig"] = members[1]["manifest.json.sig"]
    elif part == "files":
        mixed["manifest.json"] = members[1]["manifest.json"]
    elif part == "content":
        mixed[model] = bytes(len(mixed[model]))
    else:
        text = bundles[0].text.encode()
        mixed["manifest.json.sig"] = signed(text, keys[0], "edgewright-downgrade")
    with (tmp_path / "mixed.swu").open("wb") as target:
        add(target, "sw-description", b"")
        for name, content in mixed.items():
            add(target, name, content)
        finish(target)
    server.offer(NAME, Offer("1", (tmp_path / "mixed.swu").read_bytes()))
    board.poll()
    assert server.outcomes(NAME) == ["failure"]
    assert sentence in server.sentences(NAME)
    assert board.current == ""


def signed(content: bytes, key: Path, namespace: str = "edgewright") -> bytes:
    """A signature of a text."""
    words = ["ssh-keygen", "-Y", "sign", "-n", namespace, "-f", str(key)]
    return subprocess.run(words, input=content, check=True, capture_output=True).stdout


def test_a_release_of_another_fleet_is_refused(
    make_board: MakeBoard,
    server: DdiServer,
    bundles: list[Bundle],
    keys: list[Path],
    tmp_path: Path,
) -> None:
    board = make_board(unsigned=False, model="digits")
    board.machine.layout.signers.write_text(f"ann@desk {keys[0].with_suffix('.pub').read_text()}")
    server.offer(NAME, Offer("1", artefact(bundles[0], tmp_path, keys[0])))
    board.poll()
    assert server.outcomes(NAME) == ["failure"]
    assert "takes releases of digits only, not of cnn" in server.sentences(NAME)


def test_a_lost_key_is_taken_from_the_boards_with_what_it_put_first(
    board: PullBoard, server: DdiServer, bundles: list[Bundle], keys: list[Path], tmp_path: Path
) -> None:
    ours, lost = (one.with_suffix(".pub").read_text() for one in keys)
    signers = board.machine.layout.signers
    signers.write_text(f"ann@desk {ours}bob@den {lost}")
    ahead = [make_bundle(tmp_path / "ahead", number) for number in (4_000_000_000, 4_000_000_001)]
    server.offer(NAME, Offer("2", artefact(ahead[0], tmp_path, keys[1])))
    board.poll()
    assert board.current == ahead[0].digest, "its key was admitted, and the number is any"
    signers.write_text(f"ann@desk {ours}")
    server.offer(NAME, Offer("3", artefact(ahead[1], tmp_path, keys[1])))
    board.poll()
    order = FleetOrder(bundles[1].digest, "bob's key is lost", (ahead[0].digest,), keys[0])
    server.offer(NAME, Offer("4", artefact(bundles[1], tmp_path, keys[0], order.content())))
    board.poll()
    assert board.current == bundles[1].digest
    server.offer(NAME, Offer("5", artefact(ahead[0], tmp_path, keys[1])))
    board.poll()
    assert board.current == bundles[1].digest
    assert server.outcomes(NAME) == ["success", "success", "failure", "success", "failure"]
