"""The rendered shelf: its plan, its pictures, its known events, and the classifier on them."""

from __future__ import annotations

import csv
import json
import tomllib
from pathlib import Path

import numpy
import pytest

from studio.api import Silent
from studio.features.apps.context import DeskContext
from studio.features.apps.files import AppFiles
from studio.runtime.apps.document import AppDocument
from studio.runtime.apps.graph import graph_of
from studio.samples.shelf.camera import ShelfCamera, facing_box, label_box
from studio.samples.shelf.film import KnownEvent, events, write
from studio.samples.shelf.plan import FACINGS, MOST, PICTURE_S, Arm, Label, Plan, Stock, plan
from studio.settings import resource

FOLDER = resource("samples", "shelf")
FULL = frozenset(range(MOST))


def still(**changes: object) -> Plan:
    """A minute in which nothing happens but these changes."""
    stocks: tuple[tuple[Stock, ...], ...] = ((Stock(0.0, FULL),),) * len(FACINGS)
    labels: tuple[tuple[Label, ...], ...] = ((Label(0.0, 2.49),),) * len(FACINGS)
    prices = (2.49,) * len(FACINGS)
    values = {"stocks": stocks, "labels": labels, "arms": (), "lights": ((0.0, 1.0),), **changes}
    return Plan(60.0, prices, **values)  # type: ignore[arg-type]


def test_a_seed_gives_one_plan_and_one_picture() -> None:
    assert plan(3, 300.0) == plan(3, 300.0) != plan(4, 300.0)
    first, second = (ShelfCamera(plan(3, 300.0), 3).picture(40.0) for _ in range(2))
    assert numpy.array_equal(first, second)


def test_changes_happen_between_pictures_and_none_at_the_end() -> None:
    for seed in range(20):
        made = plan(seed, 960.0)
        for row in (*made.stocks, *made.labels):
            moments = [one.at_s for one in row]
            assert moments == sorted(moments)
            assert all(one % PICTURE_S == 0 for one in moments)
            assert moments[-1] < 960.0 - 60.0


def test_a_facing_that_sells_out_and_is_refilled_gives_two_events() -> None:
    empty = (Stock(0.0, FULL), Stock(10.0, frozenset()), Stock(50.0, FULL))
    found = events(still(stocks=(empty, *still().stocks[1:])))
    assert found == [
        KnownEvent(10.0, "A1", "out-of-stock"),
        KnownEvent(50.0, "A1", "restocked"),
    ]


def test_a_product_that_is_put_back_is_no_event() -> None:
    row = (Stock(0.0, frozenset({1})), Stock(10.0, frozenset()), Stock(16.0, frozenset({1})))
    assert events(still(stocks=(row, *still().stocks[1:]))) == []


def test_labels_give_events_when_their_price_changes() -> None:
    row = (Label(0.0, 2.49), Label(10.0, 0.0), Label(14.0, 2.99), Label(40.0, 2.49))
    found = events(still(labels=(row, *still().labels[1:])))
    assert found == [
        KnownEvent(14.0, "A1", "price-differs", "2.99"),
        KnownEvent(40.0, "A1", "price-ok", "2.49"),
    ]


def test_a_sale_shows_in_its_facing_alone() -> None:
    sold = (Stock(0.0, FULL), Stock(10.0, frozenset({0, 1, 3})))
    made = still(stocks=(sold, *still().stocks[1:]))
    camera = ShelfCamera(made, 5)
    gap = numpy.abs(camera.picture(8.0).astype(int) - camera.picture(10.0)).max(axis=2) > 60
    left, top, right, bottom = facing_box(0)
    assert gap[top:bottom, left:right].sum() > 300
    gap[top:bottom, left:right] = False
    assert not gap.any()


def test_an_arm_is_where_its_mask_is() -> None:
    seen = ShelfCamera(still(arms=(Arm(4.0, 8.0, 5),)), 5)
    without, mask = seen.picture_and_arms(2.0)
    assert not mask.any()
    pixels, mask = seen.picture_and_arms(4.0)
    assert mask.any()
    gap = numpy.abs(pixels.astype(int) - without).max(axis=2) > 30
    assert not gap[~mask].any()


def test_files_of_a_recording(tmp_path: Path) -> None:
    made = write(tmp_path, 9, 200.0, Silent())
    assert len(list((tmp_path / "frames").glob("*.jpg"))) == 100
    with (tmp_path / "prices.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["facing"]: float(row["price"]) for row in rows} == dict(
        zip(FACINGS, made.prices, strict=True)
    )
    lines = (tmp_path / "expected.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [one.to_json() for one in events(made)]


def test_the_app_has_the_boxes_of_the_drawing() -> None:
    table = tomllib.loads((FOLDER / "app.toml").read_text("utf-8"))
    facings = {name: list(facing_box(at)) for at, name in enumerate(FACINGS)}
    labels = {name: list(label_box(at)) for at, name in enumerate(FACINGS)}
    assert table["steps"]["facings"]["boxes"] == facings
    assert table["steps"]["labels"]["boxes"] == labels
    graph_of(AppDocument.from_json(table))


@pytest.mark.parametrize("seed", [31, 32, 33])
def test_the_classifier_counts_products_that_it_has_not_seen(seed: int) -> None:
    assert (FOLDER / "stock" / "model.onnx").stat().st_size < 200_000
    files = AppFiles.open(FOLDER)
    document = files.document._replace(models={"stock": files.document.models["stock"]})
    predictor = DeskContext(AppFiles(FOLDER, document), threads=1).predictor("stock")
    made = plan(seed, 960.0)
    camera = ShelfCamera(made, seed)
    right = total = 0
    for at_s in numpy.arange(20.0, 960.0, 94.0).tolist():
        pixels, arms = camera.picture_and_arms(at_s)
        for facing in range(len(FACINGS)):
            left, top, end, bottom = facing_box(facing)
            if arms[top:bottom, left:end].any():
                continue
            (found,) = predictor.pictures([pixels[top:bottom, left:end]])
            total += 1
            right += found["classes"][0]["label"] == str(len(made.stock(facing, at_s)))
    assert total > 80
    assert right >= 0.98 * total, (seed, right, total)
