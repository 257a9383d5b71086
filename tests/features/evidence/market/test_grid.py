"""Factors of the grid: the table with its sources, factors of the user, and the emissions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.documents.toml_text import TomlText
from studio.features.evidence.market.grid import GRID_IDS, chosen_grid, grams_of, grids, parse_grids
from studio.features.evidence.recompute import EvidenceFolder, checked
from studio.features.evidence.results import DIFFERS, RECOMPUTED, Figure

FACTOR = {"title": "X", "source": "S", "covers": "", "url": "", "checked": ""}
ROW = """[[grids]]
id = "x-2024"
title = "X, 2024"
grams_per_kwh = 300
covers = "All plants"
source = "S"
url = "https://example.org"
checked = "The page."
"""


def test_the_choices_are_those_of_the_data() -> None:
    assert tuple(grids()) == GRID_IDS


def test_each_factor_names_what_it_covers_and_where_it_is_from() -> None:
    for name, one in grids().items():
        assert all((one.source, one.covers, one.url, one.checked)), name
        assert one.title.endswith(name.rpartition("-")[2]), "the year is in both"


def test_a_kilowatt_hour_has_the_grams_of_the_factor() -> None:
    assert grams_of(3600.0, 363.0) == pytest.approx(363.0), "3.6 J a million times are a kWh"
    assert grams_of(0.0, 363.0) == 0.0


def test_a_factor_of_the_user_needs_its_source() -> None:
    found = chosen_grid(None, 41.5, "Own contract 2026")
    assert found is not None
    assert (found.grams_per_kwh, found.source) == (41.5, "Own contract 2026")
    assert chosen_grid(None, None, None) is None
    assert chosen_grid("de-2024", None, None) == grids()["de-2024"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((None, 41.5, None), "The factor needs its source"),
        ((None, 41.5, "a\nb"), "The factor needs its source"),
        ((None, 41.5, "x" * 301), "The factor needs its source"),
        (("de-2024", 41.5, "x"), "Choose one"),
        ((None, None, "x"), "A source needs its factor"),
    ],
)
def test_a_wrong_choice_is_one_sentence(
    given: tuple[str | None, float | None, str | None], expected: str
) -> None:
    with pytest.raises(UsageError, match=expected):
        chosen_grid(*given)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (ROW.replace("= 300", "= 0"), "grams_per_kwh must be a whole number"),
        (ROW.replace("= 300", "= 9000"), "grams_per_kwh must be 1 to 5000"),
        (ROW + ROW, "stands twice"),
        (ROW.replace("source", "from"), "from"),
        ("[[grid]]\n", "grid"),
    ],
)
def test_wrong_data_is_one_sentence(text: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        parse_grids(TomlText.read(text, "grid.toml"))


def test_emissions_are_computed_again_from_energy_and_factor(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(json.dumps({"energy": {"mj": 7.2, "low": 3.6}}))
    (tmp_path / "grid.json").write_text(json.dumps(FACTOR | {"grams_per_kwh": 100.0}))
    figure = Figure(
        "emissions.int8",
        "CO2",
        0.2,
        low=0.1,
        file="run.json",
        method="emissions",
        arguments={"place": ["energy"], "value": "mj", "grid": "grid.json"},
    )
    assert checked(EvidenceFolder(tmp_path), figure).state == RECOMPUTED
    (tmp_path / "grid.json").write_text(json.dumps(FACTOR | {"grams_per_kwh": 99.0}))
    assert checked(EvidenceFolder(tmp_path), figure).state == DIFFERS
