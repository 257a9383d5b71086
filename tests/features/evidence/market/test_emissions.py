"""Emissions in a dossier: from the recorded energy of a profile and a factor, checked again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studio.documents.dataclass_json import to_json
from studio.features.evidence.dossier.operation_facts import GRID_FILE, operation_facts
from studio.features.evidence.dossier.statement import Material, Statement
from studio.features.evidence.market.grid import GridFactor, grids
from studio.features.evidence.recompute import EvidenceFolder, checked
from studio.features.evidence.records.collect import collect
from studio.features.evidence.records.files import write_records
from studio.features.evidence.records.records import Records
from studio.features.evidence.records.subject import Named
from studio.features.evidence.results import DIFFERS, RECOMPUTED
from studio.profiling.results import ProfileResult, ProfileRun
from studio.registry import Registry
from studio.runtime.bench.facts import InferenceEnergy


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Records of a model with two profiled candidates, one of them not above rest."""
    registry = Registry.open(tmp_path / "data" / "registry")
    file = tmp_path / "digits.onnx"
    file.write_bytes(b"digits" * 50)
    variant = registry.add_variant(
        registry.add_model("digits"), "fp32", registry.adopt(file), format="onnx", precision="fp32"
    )
    runs = (run("digits:fp32", 7.2, 3.6, 10.8), run("digits:int8", -0.01, -0.02, 0.01))
    registry.add_run("profile", variant.id, {}, to_json(ProfileResult(runs=runs)))
    yield collect(registry, Named(variant))
    registry.close()


def run(name: str, mj: float, low: float, high: float) -> ProfileRun:
    return ProfileRun(name, energy=InferenceEnergy(mj, low, high, mj + 1, 5.0, 100, 8, ""))


def energy(records: Records, folder: Path, grid: GridFactor | None) -> Statement:
    chosen = replace(records, grid=grid)
    folder.mkdir(exist_ok=True)
    write_records(chosen, folder)
    statements = operation_facts(Material(chosen, folder, ""))
    return next(one for one in statements if one.subject == "energy")


def test_grams_follow_from_energy_and_factor(records: Records, tmp_path: Path) -> None:
    statement = energy(records, tmp_path / "out", grids()["de-2024"])
    figures = {one.id: one for one in statement.figures}
    grams = figures["emissions.digits:fp32"]
    assert grams.value == pytest.approx(0.726), "7.2 mJ a million times are 2 Wh"
    assert (grams.low, grams.high) == (pytest.approx(0.363), pytest.approx(1.089))
    assert grams.unit == "g"
    assert "Umweltbundesamt" in statement.paragraphs[0]
    folder = EvidenceFolder(tmp_path / "out")
    assert {checked(folder, one).state for one in statement.figures} == {RECOMPUTED}
    assert checked(folder, replace(grams, value=0.7)).state == DIFFERS
    assert (tmp_path / "out" / GRID_FILE).is_file()


def test_an_energy_that_is_not_above_rest_has_no_emissions(
    records: Records, tmp_path: Path
) -> None:
    statement = energy(records, tmp_path / "out", grids()["us-2023"])
    assert "emissions.digits:int8" not in {one.id for one in statement.figures}
    assert "energy.digits:int8" in {one.id for one in statement.figures}
    assert statement.paragraphs[1].startswith("No carbon dioxide is computed")


def test_without_a_factor_the_option_is_named(records: Records, tmp_path: Path) -> None:
    statement = energy(records, tmp_path / "out", None)
    assert [one.id for one in statement.figures] == ["energy.digits:fp32", "energy.digits:int8"]
    assert "--grid-factor" in statement.paragraphs[0]
    assert len(statement.paragraphs) == 1
    assert not (tmp_path / "out" / GRID_FILE).exists()


def test_without_an_energy_the_command_is_named(records: Records, tmp_path: Path) -> None:
    statement = energy(replace(records, runs=()), tmp_path / "out", grids()["us-2023"])
    assert statement.state == "missing"
    assert "studio profile MODEL --energy" in statement.note
