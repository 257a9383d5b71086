"""What happens on a rendered shelf: stock, price labels, persons and light over time."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

from studio.lazy_dataclass import dataclass

ROWS, COLUMNS = 3, 4
MOST = 4
"""Products side by side in a full facing."""

FACINGS = tuple(f"{row}{column}" for row in "ABC" for column in "1234")
"""Names of the facings, row by row."""

PICTURE_S = 2.0
"""Seconds from one picture to the next."""

_CALM_S = 90.0
"""Seconds at the end in which nothing changes, so that each event can be found."""

_EMPTY_S = (110.0, 220.0)
_PUT_BACK_S = 6.0


@dataclass(frozen=True, slots=True)
class Stock:
    """Products of a facing from a moment on.

    Attributes:
        places: Numbers of the places that hold a product, from the left.
    """

    at_s: float
    places: frozenset[int]


@dataclass(frozen=True, slots=True)
class Label:
    """Price label of a facing from a moment on.

    Attributes:
        price: Such as 2.49; 0 for no label.
    """

    at_s: float
    price: float


@dataclass(frozen=True, slots=True)
class Arm:
    """Arm of a person in front of a facing for some time."""

    begin_s: float
    end_s: float
    facing: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that happens in one recording.

    Attributes:
        prices: Price of each facing in the list of prices.
        stocks, labels: Of each facing, in the order of time.
        lights: Moments and factors of the light from then on.
    """

    seconds: float
    prices: tuple[float, ...]
    stocks: tuple[tuple[Stock, ...], ...]
    labels: tuple[tuple[Label, ...], ...]
    arms: tuple[Arm, ...]
    lights: tuple[tuple[float, float], ...]

    def stock(self, facing: int, at_s: float) -> frozenset[int]:
        """Return the places that hold a product at a moment."""
        return [one for one in self.stocks[facing] if one.at_s <= at_s][-1].places

    def price(self, facing: int, at_s: float) -> float:
        """Return the price on the label at a moment; 0 for no label."""
        return [one for one in self.labels[facing] if one.at_s <= at_s][-1].price

    def light(self, at_s: float) -> float:
        """Return the factor of the light: lamps that are switched, and slow daylight."""
        lamps = [factor for moment, factor in self.lights if moment <= at_s][-1]
        return lamps * (1.0 + 0.06 * math.sin(at_s / 150.0))

    def arms_at(self, at_s: float) -> Iterator[Arm]:
        """Give the arms in the picture at a moment."""
        return (one for one in self.arms if one.begin_s <= at_s < one.end_s)


def plan(seed: int, seconds: float) -> Plan:
    """Return a recording of some length; the same seed gives the same one."""
    chance = random.Random(seed)
    prices = tuple(_price(chance) for _ in FACINGS)
    stocks = tuple(_stocks(chance, seconds) for _ in FACINGS)
    labels = tuple(_labels(chance, price, seconds) for price in prices)
    arms = _arms(chance, stocks, labels, seconds)
    return Plan(seconds, prices, stocks, labels, arms, _lights(chance, seconds))


def _price(chance: random.Random) -> float:
    whole = chance.choice((0, 1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24))
    return round(whole + chance.choice((0.29, 0.49, 0.59, 0.75, 0.79, 0.95, 0.99)), 2)


def _on_picture(at_s: float) -> float:
    return round(at_s / PICTURE_S) * PICTURE_S


def _stocks(chance: random.Random, seconds: float) -> tuple[Stock, ...]:
    """Return sales one by one, sold-out times, refills, and products put back at once."""
    count = chance.randint(0, MOST)
    places = set(chance.sample(range(MOST), count))
    found = [Stock(0.0, frozenset(places))]

    def change(at_s: float) -> None:
        found.append(Stock(_on_picture(at_s), frozenset(places)))

    now = chance.uniform(20, 80) if places else chance.uniform(*_EMPTY_S)
    while now < seconds - _CALM_S:
        if not places:
            for place in chance.sample(range(MOST), chance.randint(2, MOST)):
                places.add(place)
                change(now)
                now += 2 * PICTURE_S
        else:
            taken = chance.choice(sorted(places))
            places.remove(taken)
            change(now)
            if not places and chance.random() < 0.25:
                places.add(taken)
                change(now + _PUT_BACK_S)
        now += chance.uniform(25, 80) if places else chance.uniform(*_EMPTY_S)
    return tuple(found)


def _labels(chance: random.Random, price: float, seconds: float) -> tuple[Label, ...]:
    """Return labels that are right or wrong, some of them replaced a few times."""
    shown = price if chance.random() < 0.8 else _wrong(chance, price)
    found = [Label(0.0, shown)]
    now = chance.uniform(40, 300)
    while now < seconds - _CALM_S:
        is_wrong = found[-1].price != price
        shown = price if is_wrong and chance.random() < 0.7 else _wrong(chance, price)
        if shown != found[-1].price:
            if chance.random() < 0.5:
                found.append(Label(_on_picture(now), 0.0))
                now += 2 * PICTURE_S
            found.append(Label(_on_picture(now), shown))
        now += chance.uniform(150, 450)
    return tuple(found)


def _wrong(chance: random.Random, price: float) -> float:
    """Return a price in which one digit differs, or an older one."""
    while True:
        digits = list(f"{price:.2f}")
        at = chance.choice([place for place, one in enumerate(digits) if one != "."])
        digits[at] = chance.choice("0123456789")
        found = round(float("".join(digits)), 2)
        if found != price and found >= 0.01 and f"{found:.2f}" == "".join(digits):
            return found


def _arms(
    chance: random.Random,
    stocks: tuple[tuple[Stock, ...], ...],
    labels: tuple[tuple[Label, ...], ...],
    seconds: float,
) -> tuple[Arm, ...]:
    """Return arms at most changes, and at other times of persons who take nothing."""
    found = []
    for facing in range(len(FACINGS)):
        moments = [one.at_s for one in stocks[facing][1:]]
        moments += [one.at_s for one in labels[facing][1:]]
        for at_s in moments:
            if chance.random() < 0.6:
                begin = at_s - chance.choice((0, 1, 2)) * PICTURE_S
                found.append(Arm(begin, at_s + chance.choice((0, 1)) * PICTURE_S, facing))
    now = chance.uniform(5, 30)
    while now < seconds:
        length = chance.randint(1, 4) * PICTURE_S
        found.append(Arm(now, now + length, chance.randrange(len(FACINGS))))
        now += length + chance.uniform(10, 60)
    return tuple(sorted(found, key=lambda one: one.begin_s))


def _lights(chance: random.Random, seconds: float) -> tuple[tuple[float, float], ...]:
    moments = sorted(_on_picture(chance.uniform(0, seconds)) for _ in range(4))
    return ((0.0, 1.0), *((one, chance.uniform(0.65, 1.1)) for one in moments))
