"""The files of a rendered recording of a shelf: pictures, the list of prices, known events."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from PIL import Image

from studio.api import Progress
from studio.lazy_dataclass import dataclass
from studio.samples.shelf.camera import ShelfCamera
from studio.samples.shelf.plan import FACINGS, PICTURE_S, Plan, plan

SEED = 20261130
SECONDS = 960.0

_SHORTEST_S = 30.0
"""A facing that is empty for less is not out of stock: a product was put back."""


@dataclass(frozen=True, slots=True, order=True)
class KnownEvent:
    """An event that must be found.

    Attributes:
        at_s: Moment at which it really happens.
        label: Name of the facing.
        value: Price on the label; empty for events of the stock.
    """

    at_s: float
    label: str
    kind: str
    value: str = ""

    def to_json(self) -> dict[str, str | float]:
        """Return it as a line of ``expected.jsonl`` has it."""
        found: dict[str, str | float] = {"kind": self.kind, "at_s": self.at_s, "label": self.label}
        return {**found, "value": self.value} if self.value else found


def make(folder: Path, progress: Progress) -> None:
    """Write the recording of the sample into a folder that has its other files."""
    write(folder, SEED, SECONDS, progress)


def write(folder: Path, seed: int, seconds: float, progress: Progress) -> Plan:
    """Write ``frames/``, ``prices.csv`` and ``expected.jsonl``; return what happens.

    Args:
        seconds: Length of the recording, one picture for each two seconds.
    """
    frames = folder / "frames"
    frames.mkdir(parents=True)
    made = plan(seed, seconds)
    camera = ShelfCamera(made, seed)
    count = int(seconds / PICTURE_S)
    for number in range(count):
        progress.progress(number, count, f"Rendering picture {number + 1} of {count}")
        picture = Image.fromarray(camera.picture(number * PICTURE_S))
        picture.save(frames / f"{number:05d}.jpg", quality=90)
    with (folder / "prices.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("facing", "price"))
        rows.writerows((name, f"{one:.2f}") for name, one in zip(FACINGS, made.prices, strict=True))
    lines = [json.dumps(event.to_json()) + "\n" for event in events(made)]
    (folder / "expected.jsonl").write_text("".join(lines), encoding="utf-8")
    return made


def events(made: Plan) -> list[KnownEvent]:
    """Return the events that must be found, in the order of time."""
    found = []
    for facing, name in enumerate(FACINGS):
        found += _stock_events(made, facing, name)
        found += _price_events(made, facing, name)
    return sorted(found)


def _stock_events(made: Plan, facing: int, name: str) -> list[KnownEvent]:
    stocks = made.stocks[facing]
    found: list[KnownEvent] = []
    for number, stock in enumerate(stocks):
        if stock.places:
            continue
        until = stocks[number + 1].at_s if number + 1 < len(stocks) else made.seconds
        if until - stock.at_s < _SHORTEST_S:
            continue
        found.append(KnownEvent(stock.at_s, name, "out-of-stock"))
        if number + 1 < len(stocks):
            found.append(KnownEvent(until, name, "restocked"))
    return found


def _price_events(made: Plan, facing: int, name: str) -> list[KnownEvent]:
    right, before = made.prices[facing], made.prices[facing]
    found: list[KnownEvent] = []
    for label in made.labels[facing]:
        if label.price in (0.0, before):  # no label at the moment, or the same price
            continue
        before = label.price
        kind = "price-ok" if label.price == right else "price-differs"
        found.append(KnownEvent(label.at_s, name, kind, f"{label.price:g}"))
    return found
