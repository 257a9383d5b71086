"""A link that is cut, stalls or is reset, at each class of byte and at seeded offsets.

A real SSH server on a board of its own; the studio's own channel, agent and stream of files.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from studio.api import Silent, TargetError, TargetSpec
from studio.deployment.machine.release_client import ReleaseClient
from studio.deployment.machine.upload import Outgoing, Upload
from studio.packages import Bundle, ZipApplication
from studio.runtime.release.store.layout import Layout
from studio.runtime.shared import manifest
from studio.runtime.shared.files import digest_of
from studio.targets.connect import open_channel
from tests.faults.board import Stock
from tests.faults.proxy import DOWN, KINDS, UP, Proxy
from tests.faults.tally import Tally, require
from tests.rigs.boards import Board, network
from tests.rigs.bundles import QuietJob

CLASSES = (
    *("banner", "key exchange", "login", "first command", "application", "claim", "question"),
    *("first frame", "content", "last frame", "manifest", "end"),
)
_IMPATIENT_S = 2.5


@dataclass(frozen=True)
class Strike:
    """One failure of the link.

    Attributes:
        where: A class of byte, or empty.
        share: Where in the class, or in all that is carried.
    """

    kind: str
    way: str
    where: str
    share: float


def strikes(seed: int, count: int = 200) -> list[Strike]:
    """Each kind in each class and direction, and so many at seeded offsets."""
    chance = random.Random(seed)
    named = [
        Strike(kind, way, where, chance.random())
        for where in CLASSES
        for kind in KINDS
        for way in (UP, DOWN)
    ]
    anywhere = [
        Strike(chance.choice(KINDS), chance.choice((UP, UP, DOWN)), "", chance.random())
        for _ in range(count)
    ]
    return named + anywhere


def run_strikes(chosen: Sequence[Strike], stock: Stock, folder: Path) -> Tally:
    """Some of them on a board of their own."""
    tally = Tally("links")
    folder.mkdir(parents=True)
    bundle = stock.contents[0]
    runtime = ZipApplication(stock.runtime, digest_of(stock.runtime), stock.runtime.stat().st_size)
    try:
        with network() as net, Board(net, folder / "b") as board:
            marks = _marks(board, bundle, runtime)
            for number, strike in enumerate(chosen):
                what = f"{strike.kind} {strike.way} {strike.where or 'anywhere'} {strike.share:.3f}"
                with tally.judged(what):
                    outcome = _struck(board, bundle, runtime, marks, strike, f"r{number}")
                    tally.points[strike.kind + (" by class" if strike.where else " anywhere")] += 1
                    tally.outcomes[outcome] += 1
                    tally.names += [f"{strike.where} {strike.kind} {strike.way}"] * bool(
                        strike.where
                    )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return tally


Marks = dict[str, dict[str, tuple[int, int]]]
"""For each class, in each direction, the first byte and the one after the last."""


def _marks(board: Board, bundle: Bundle, runtime: ZipApplication) -> Marks:
    """Which bytes belong to what, by a transfer that is left alone."""
    marks: Marks = {"banner": {UP: (0, 20), DOWN: (0, 20)}}
    with Proxy(board.address, 22) as proxy:
        last = {UP: 20, DOWN: 20}

        def reached(where: str) -> None:
            marks[where] = {
                way: (last[way], max(last[way] + 1, proxy.carried[way])) for way in last
            }
            last.update(proxy.carried)

        _transfer(board, bundle, runtime, "/root/clean", proxy.port, reached)
    connected = marks.pop("connected")
    for where, low, high in (("key exchange", 0.0, 0.6), ("login", 0.6, 1.0)):
        marks[where] = {
            way: (begin + int((end - begin) * low), begin + int((end - begin) * high))
            for way, (begin, end) in connected.items()
        }
    files = marks.pop("files")
    for where, low, high in (
        ("first frame", 0.0, 0.02),
        ("content", 0.02, 0.98),
        ("last frame", 0.98, 1.0),
    ):
        marks[where] = {
            way: (begin + int((end - begin) * low), begin + max(1, int((end - begin) * high)))
            for way, (begin, end) in files.items()
        }
    return marks


def _struck(
    board: Board,
    bundle: Bundle,
    runtime: ZipApplication,
    marks: Marks,
    strike: Strike,
    name: str,
) -> str:
    root, home = f"/root/{name}", board.home / name
    if strike.where:
        begin, end = marks[strike.where][strike.way]
    else:
        begin, end = 0, marks["end"][strike.way][1]
    at = min(end - 1, begin + int((end - begin) * strike.share))
    failed = ""
    with Proxy(board.address, 22, strike.kind, strike.way, at) as proxy, _impatient():
        try:
            _transfer(board, bundle, runtime, root, proxy.port)
        except TargetError as error:
            failed = error.message
        require(proxy.struck or not failed, f"it failed by itself: {failed}")
        require("\n" not in failed, f"not one sentence: {failed}")
    _check(home, bundle)
    kept = sum(part.stat().st_size for part in (home / "incoming").glob(".*.part"))
    kept += sum(blob.stat().st_size for blob in (home / "blobs").glob("*"))
    sent = _transfer(board, bundle, runtime, root)
    require(
        sent <= bundle.size * 1.05 - kept + 4096, f"{sent} bytes were sent again, {kept} were kept"
    )
    require((home / "releases" / bundle.digest).is_dir(), "the repetition is not staged")
    _check(home, bundle)
    shutil.rmtree(home)
    return f"{'failed' if failed else 'came through'}{', some kept' if kept else ''}"


def _transfer(
    board: Board,
    bundle: Bundle,
    runtime: ZipApplication,
    root: str,
    port: int = 0,
    reached: object = None,
) -> int:
    """All of a deploy up to the staged release; the bytes of the files that were sent."""
    tell = reached if callable(reached) else lambda where: None
    url = f"ssh://root@127.0.0.1:{port}" if port else board.url
    spec = TargetSpec("board", url, board.host_key, {"key_file": str(board.key_file)})
    channel = open_channel(spec, Silent())
    try:
        tell("connected")
        agent = ReleaseClient(channel, root, "python3", runtime, "ann@desk", "board")
        channel.run(["true"])
        tell("first command")
        agent.install()
        tell("application")
        agent.begin(bundle.digest)
        tell("claim")
        blobs = {"blobs": {f.digest: f.size for f in bundle.files}}
        agent.call("missing", blobs)
        tell("question")
        files = [Outgoing(f.name, f.path, f.digest, f.size) for f in bundle.files]
        delivery = Upload(files, QuietJob(board.home.parent / "job"))
        try:
            agent.call("transfer", blobs, watch=delivery.watch, frames=delivery.frames())
        finally:
            delivery.end()
        tell("files")
        request = {"manifest": bundle.text, "runtime": runtime.digest, "python": "/usr/bin/python3"}
        agent.call("stage", request)
        tell("manifest")
        agent.end()
        tell("end")
        return delivery.sent
    finally:
        channel.close()


def _check(home: Path, bundle: Bundle) -> None:
    """Nothing that is in place is partial."""
    layout = Layout(home)
    for blob in layout.blobs.glob("*"):
        require(digest_of(blob) == blob.name, f"the blob {blob.name[:12]} is damaged")
    folder = layout.release(bundle.digest)
    if folder.is_dir():
        try:
            manifest.verify(folder, manifest.read(folder))
        except Exception as error:
            require(False, f"a partial release is in place: {error}")


@contextmanager
def _impatient() -> Iterator[None]:
    """A little silence is enough, so that the campaign need not wait for it."""
    names = (
        *("studio_ssh.connection.DEAD_LINK_S", "studio_ssh.watchdog.DEAD_LINK_S"),
        *("studio_ssh.watchdog.TRANSFER_S", "studio_ssh.watchdog.COMMAND_S"),
        "studio_ssh.connection.HANDSHAKE_S",
    )
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(mock.patch(name, _IMPATIENT_S))
        yield
