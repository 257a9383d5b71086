"""Two operators who change one board at the same moment."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

from studio.packages import Bundle
from tests.faults.board import FaultBoard, Stock
from tests.faults.points import REPEAT
from tests.faults.tally import Tally, require

LEGAL = frozenset({"locked", "lease-lost", "counter-back", "no-such-release", "not-staged"})
"""What the one who comes second may be told."""

_MOST_APART_S = 0.6
_RACE_S = 120

_OPERATOR = """\
import json, sys, time
from pathlib import Path
from tests.faults.races import operate
order = json.load(sys.stdin)
time.sleep(order["wait"])
print(json.dumps(operate(order)))
"""


def run_race(number: int, seed: int, stock: Stock, root: Path) -> Tally:
    """One race: who, what and how far apart follow from the number and the seed."""
    tally = Tally("races", names=[f"race {number}"])
    chance = random.Random(f"{seed}/{number}")
    board = FaultBoard(root / "board", stock)
    try:
        for version in (1, 2):
            board.put(stock.numbered(version), REPEAT)
        orders = [
            {
                "root": str(board.layout.root),
                "stock": [str(bundle.folder) for bundle in stock.contents],
                "runtime": str(stock.runtime),
                "owner": owner,
                "does": does,
                "version": 3 + index,
                "wait": chance.random() * _MOST_APART_S,
            }
            for index, (owner, does) in enumerate(_pair(number, chance))
        ]
        with tally.judged(f"race {number} {[(o['owner'], o['does']) for o in orders]}"):
            ended = _both(orders)
            tally.points["races"] += 1
            tally.outcomes[" + ".join(sorted(ended))] += 1
            _judge(board, ended)
    finally:
        board.end()
        shutil.rmtree(root, ignore_errors=True)
    return tally


def _pair(number: int, chance: random.Random) -> list[tuple[str, str]]:
    """Every other race is between two windows of the same person."""
    second = "ann@desk" if number % 2 else "bob@den"
    return [("ann@desk", "deploy"), (second, chance.choice(["deploy", "deploy", "rollback"]))]


def _both(orders: list[dict[str, object]]) -> list[str]:
    operators = [
        subprocess.Popen(
            [sys.executable, "-c", _OPERATOR],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in orders
    ]
    for operator, order in zip(operators, orders, strict=True):
        assert operator.stdin is not None
        operator.stdin.write(json.dumps(order))
        operator.stdin.close()
    ended = []
    for operator in operators:
        assert operator.stdout is not None
        said = operator.stdout.read()
        operator.stdout.close()
        require(operator.wait(_RACE_S) == 0, "an operator crashed")
        ended.append(str(json.loads(said)))
    return ended


def operate(order: dict[str, object]) -> str:
    """What one operator does, in a process of its own; ``done``, or the code of the refusal."""
    contents = tuple(Bundle.open(Path(folder)) for folder in order["stock"])  # type: ignore[attr-defined]
    stock = Stock(contents, Path(str(order["runtime"])))
    board = FaultBoard.join(Path(str(order["root"])), stock, str(order["owner"]))
    if order["does"] == "rollback":
        answer = board.call("rollback", soak_s=0)
        return _code(answer)
    bundle = stock.numbered(int(str(order["version"])))
    for verb in REPEAT:
        frames, request = b"", {}
        if verb == "receive":
            answer = board.call("missing", blobs={f.digest: f.size for f in bundle.files})
            if answer["event"] == "error":
                return _code(answer)
        try:
            frames, request = board.request(verb, bundle)
        except AssertionError as error:
            return _code_in(str(error))
        answer = board.call(verb, frames, **request)
        if answer["event"] == "error":
            return _code(answer)
        if verb == "begin":
            board.token = str(answer["token"])
    return "done"


def _code(answer: dict[str, object]) -> str:
    return str(answer["code"]) if answer["event"] == "error" else "done"


def _code_in(text: str) -> str:
    return next((code for code in LEGAL if code in text), text)


def _judge(board: FaultBoard, ended: list[str]) -> None:
    strange = [one for one in ended if one not in LEGAL | {"done"}]
    require(not strange, f"an operator was told: {strange}")
    board.check_now(serves=True)
    # The claim of one who was refused in the midst of it ends by itself; here it is taken away.
    board.layout.lease.unlink(missing_ok=True)
    board.owner = "eve@roof"
    board.step("begin", board.stock.numbered(9))
    board.check_recovered(serves=True)
    board.put(board.stock.numbered(9), REPEAT)
    require(board.served() == board.stock.numbered(9).digest, "the next deploy is not served")
