"""The choice of a preset: its cards with predictions, its editor, and the check before the work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.documents.dataclass_json import from_json
from studio.gui.pages.quantize.chips import CHIPS
from studio.gui.pages.quantize.outlook import outlook_of
from studio.gui.pages.quantize.preflight_check import PreflightCheck
from studio.gui.pages.quantize.preset_cards import PresetCards
from studio.gui.pages.quantize.preset_editor import PresetEditor
from studio.lazy_dataclass import dataclass
from studio.quantization.results import SensitivityResult
from studio.workspace import PresetAsked

if TYPE_CHECKING:
    from studio.gui.pages.quantize.requirements import DataChoice
    from studio.gui.shell import Shell
    from studio.workspace import SizeEstimate, VariantRecord, Workspace


@dataclass(frozen=True, slots=True)
class _Machine:
    """The architecture in the facts of a target; None for what is no machine."""

    arch: str | None = None


class PresetChoice(QObject):
    """The preset in use, which the cards and the editor show in two ways.

    Signals:
        changed: The preset is another one.
        requested: Another page has chosen the preset, for a chip (empty for none).
    """

    changed = Signal()
    requested = Signal(str)

    def __init__(self, workspace: Workspace, shell: Shell, parent: QObject) -> None:
        super().__init__(parent)
        self._workspace = workspace
        self._origin: VariantRecord | None = None
        self._variants: Sequence[VariantRecord] = ()
        self._budget: float | None = None
        self._estimates: dict[str, SizeEstimate | None] = {}
        self._float_nodes: tuple[str, ...] = ()
        self._wanted = ""
        self._estimated: tuple[int, tuple[str, ...]] | None = None
        self.editor = PresetEditor(workspace, shell.theming)
        self.cards = PresetCards(shell.theming)
        self.check = PreflightCheck(shell, self)
        first = self.cards.chips.chip.presets[0]
        if first != self.editor.chosen_name:
            self.editor.choose(first)
        self.editor.changed.connect(self.changed)
        self.cards.chosen.connect(self.editor.choose)
        self.cards.chip_changed.connect(self._choose_first)
        self.check.changed.connect(self.show)

    @property
    def needs_data(self) -> bool:
        """Whether the preset is calibrated."""
        return self.editor.form is not None and "samples" in self.editor.form.fields

    @property
    def other(self) -> str:
        """The title of the preset where no card shows it; else empty."""
        return "" if self.cards.card_of(self.editor.chosen_name) else self.editor.title

    def on_event(self, event: object) -> None:
        """Follow the check, and choose the preset that another page requests."""
        self.check.on_event(event)
        if isinstance(event, PresetAsked):
            chip = next((one.id for one in CHIPS if event.preset in one.presets), "")
            if chip:
                self.cards.chips.choose(chip)
            self._wanted = event.preset
            self.editor.choose(event.preset)
            self.requested.emit(event.chip)

    def _choose_first(self) -> None:
        """Choose the preset that is recommended for the chip."""
        self._wanted = ""
        entries = self.cards.entries(self.editor.entries, self._ratios())
        self.editor.choose(entries[0].name)

    def _ratios(self) -> dict[str, float | None]:
        return {name: one.ratio if one else None for name, one in self._estimates.items()}

    def show_model(
        self,
        origin: VariantRecord | None,
        variants: Sequence[VariantRecord],
        budget: float | None,
        float_nodes: tuple[str, ...] = (),
    ) -> None:
        """Show the predictions for another float model, or after something was made of it.

        Args:
            origin: The float model; None without one.
            variants: All of the model.
            budget: The accepted metric drop, in the metric's unit.
            float_nodes: Nodes that stay in float with each preset.
        """
        self._float_nodes = float_nodes
        if self._origin is not None and (origin is None or origin.id != self._origin.id):
            self._wanted = ""
        self._origin, self._variants, self._budget = origin, variants, budget
        self._estimate()
        self.show()

    def show(self) -> None:
        """Show the presets of the chip with what is known of each."""
        origin = self._origin
        if origin is None:
            return
        registry = self._workspace.registry
        facts = {
            one.name: from_json(_Machine, registry.facts(one.name)) for one in registry.targets()
        }
        self.cards.chips.show_targets({name: one.arch or "" for name, one in facts.items()})
        run = self._workspace.results.last("sensitivity", SensitivityResult, origin.id)
        outlooks = {
            entry.name: outlook_of(
                entry,
                origin,
                self._variants,
                self._estimates,
                self.check.outlook(origin.id, entry.text),
                run.result if run is not None else None,
                is_here=self.cards.chips.is_here,
                budget=self._budget,
            )
            for entry in self.cards.entries(self.editor.entries, self._ratios(), self._wanted)
        }
        self.cards.show_outlooks(outlooks, self.editor.chosen_name)

    def _estimate(self) -> None:
        """Predict the sizes of all presets in the background, once for each model and list."""
        origin = self._origin
        subject = (origin.id, self._float_nodes) if origin is not None else None
        if origin is None or self._estimated == subject:
            return
        if self._estimated is None or self._estimated[0] != origin.id:
            self._estimates = {}
        self._estimated = subject
        texts = [entry.text for entry in self.editor.entries]
        names = [entry.name for entry in self.editor.entries]
        call = partial(self._workspace.presets.sizes, origin, texts, self._float_nodes)
        self._workspace.in_background(call, partial(self._take_estimates, subject, names))

    def _take_estimates(
        self,
        subject: object,
        names: Sequence[str],
        found: Sequence[SizeEstimate | None] | Exception,
    ) -> None:
        if subject == self._estimated and not isinstance(found, Exception):
            self._estimates = dict(zip(names, found, strict=True))
            self.show()

    def run_check(self, choice: DataChoice, options: Mapping[str, str]) -> bool:
        """Check the data and estimate the speed in a worker; False where both are known.

        Args:
            options: The model as an option of the step.
        """
        if self._origin is None or self.editor.problem:
            return False
        paths = {"data": choice.data, "eval_data": choice.eval_data}
        given = {name: path for name, path in paths.items() if path and Path(path).exists()}
        return self.check.start(self._origin.id, given, self.editor.text, options)
