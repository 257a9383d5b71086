"""The views of the selected variant: lineage, layers, samples, and its regressed ones."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from studio.documents.dataclass_json import from_json
from studio.gui.pages.quantize import rows
from studio.gui.pages.quantize.layers_view import LayersView
from studio.gui.pages.quantize.lineage_view import LineageView
from studio.gui.pages.quantize.samples_view import SamplesView
from studio.quantization.results import VariantDetails

if TYPE_CHECKING:
    from collections.abc import Sequence

    from studio.gui.pages.quantize.variants_view import VariantsView
    from studio.gui.theme import Theming
    from studio.workspace import VariantRecord, Workspace


class SelectedVariant:
    """The views that follow the selection in the table of variants.

    Layers and samples are read from the variant's file in the background.
    """

    def __init__(self, workspace: Workspace, theming: Theming, table: VariantsView) -> None:
        self._workspace = workspace
        self._table = table
        self._shown: int | None = None
        self.lineage = LineageView()
        self.layers = LayersView(theming)
        self.samples = SamplesView(theming)

    def forget(self) -> None:
        """The registry has changed: what is shown must be read again."""
        self._shown = None

    def show(self, variants: Sequence[VariantRecord], current: int | None) -> None:
        """Show the variant that is selected in the table.

        Args:
            variants: All of the model.
            current: The number of the current one.
        """
        variant = self._table.chosen()
        if variant is None or variant.id == self._shown:
            return
        self._shown = variant.id
        names = {one.id: one.name for one in variants}
        source = names.get(variant.parent, "") if variant.parent is not None else ""
        asked, known = self._table.request(variant.id), self._table.baselines(variant)
        self.lineage.show_variant(variant, rows.fields(variant, source, asked, known), current)
        runs = self._workspace.registry.runs(rows.STEP, variant.id, most=1)
        artifact = runs[0].artifacts.get("details") if runs else None
        if artifact is None:
            self._show_details(variant, VariantDetails())
            return
        read = partial(_read, artifact.path)
        self._workspace.in_background(read, partial(self._show_details, variant))

    def _show_details(self, variant: VariantRecord, details: VariantDetails | Exception) -> None:
        if variant.id != self._shown:
            return
        known = VariantDetails() if isinstance(details, Exception) else details
        costs = rows.layer_costs(variant, self._workspace.results)
        self.layers.show_layers(known.layers, costs)
        self.samples.show_samples(known.samples)
        self._table.regressed.show_samples(known.samples)


def _read(path: Path) -> VariantDetails:
    return from_json(VariantDetails, json.loads(path.read_text(encoding="utf-8")))
