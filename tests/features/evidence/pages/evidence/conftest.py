"""The Evidence page with jobs that the test moves on by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.features.evidence.pages.evidence.page import EvidencePage
from studio.workspace import VariantRecord
from tests.gui.page_rig import Rig, opened
from tests.rigs.evidence_results import explain_result, groups_result, record


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        yield made


@pytest.fixture
def variant(rig: Rig) -> VariantRecord:
    return rig.variant()


@pytest.fixture
def page(rig: Rig, variant: VariantRecord) -> EvidencePage:
    """The page of a model about which nothing was measured."""
    return rig.page(EvidencePage, variant)


@pytest.fixture
def measured(rig: Rig, variant: VariantRecord, tmp_path: Path) -> EvidencePage:
    """The page of a model with groups, robustness and explanations."""
    explained = explain_result(tmp_path / "maps.npz", ("#2", "#3"))
    record(rig.registry, variant, tmp_path, groups_result(), explained)
    return rig.page(EvidencePage, variant)
