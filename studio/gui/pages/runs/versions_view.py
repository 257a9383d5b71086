"""The versions of every model: aliases, lineage, where they run, and what can be done with one."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from PySide6.QtWidgets import QFileDialog, QLineEdit, QVBoxLayout, QWidget

from studio.gui import figures
from studio.gui.pages.runs.runs_view import DETAIL_WIDTH, NARROW
from studio.gui.pages.shared import run_rows, target_rows
from studio.gui.pages.shared.stage_page import JobStrip, StateRow, StateRows
from studio.gui.shell import Shell
from studio.gui.widgets.basics import (
    GRID,
    Card,
    FieldList,
    Hint,
    Scroll,
    button,
    label,
    row,
    set_enabled,
)
from studio.gui.widgets.list_or_hint import ListOrHint
from studio.gui.widgets.sortable import SortableRow, SortableTable
from studio.gui.widgets.tables import framed
from studio.gui.widgets.two_columns import TwoColumns
from studio.versions.results import (
    AliasMove,
    ExportResult,
    GarbageResult,
    ImportResult,
    Lineage,
    VersionRow,
)

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, Workspace

COLUMNS = ("Version", "Aliases", "Deployed to", "Created")
_WIDTHS = (0, 0, 116, 112)
PRODUCTION, CANDIDATE = "production", "candidate"


class VersionsView(QWidget):
    """The list at the left; at the right the lineage of one version, and its buttons."""

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__()
        self.workspace, self.shell = workspace, shell
        self._rows: dict[str, VersionRow] = {}
        self.strip = JobStrip()
        self.table = SortableTable(COLUMNS, (), _WIDTHS, "Versions")
        self.title = label("", "section")
        self.fields = FieldList()
        self.origin = StateRows("Lineage")
        self.moves = StateRows("Alias history")
        self.alias = QLineEdit(PRODUCTION)
        self.alias.setAccessibleName("Alias")
        self.alias.setFixedWidth(16 * GRID)
        self.promote = button("Promote", self._promote)
        self.set_alias = button("Set without gates…", self._set)
        self.back = button("Roll back the alias", self._roll_back)
        self.export = button("Export…", self._export)
        self.take = button("Import…", self._import)
        self.collect = button("Find unused versions", self._collect)
        self.empty = Hint(
            "No versions yet",
            "Package or deploy a model to create a version: its files, golden samples and a "
            "manifest, under one digest. Exported projects can be imported.",
            "Import…",
            self._import,
        )
        self._build()
        self.table.chosen.connect(self._show)
        self.alias.textChanged.connect(lambda _text: self._explain())
        self.strip.finished.connect(self._finished)

    def _build(self) -> None:
        right = Scroll(margin=0)
        head = Card()
        head.body.addWidget(self.title)
        head.body.addWidget(self.fields)
        head.body.addLayout(row(label("Alias"), self.alias, self.promote, None))
        head.body.addLayout(row(self.set_alias, self.back, None))
        origin, self.moved = Card("Lineage"), Card("Aliases and evidence")
        origin.body.addWidget(self.origin)
        self.moved.body.addWidget(self.moves)
        for card in (head, origin, self.moved):
            right.body.addWidget(card)
        right.body.addStretch(1)
        listed = QWidget()
        left = QVBoxLayout(listed)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(2 * GRID)
        left.addWidget(framed(self.table), 1)
        left.addLayout(row(self.export, self.take, self.collect, None))
        left.addWidget(self.strip)  # below: a job that starts moves no row
        right.setMinimumWidth(DETAIL_WIDTH)
        columns = TwoColumns(listed, right, (5, 4), NARROW)
        columns.setContentsMargins(2 * GRID, 2 * GRID, 2 * GRID, 2 * GRID)
        self.stack = ListOrHint(self, columns, self.empty)

    def on_event(self, event: object) -> None:
        """Follow the view's own job."""
        self.strip.on_event(event)

    def refresh(self) -> None:
        """Read the versions again, off the window's thread."""
        self.workspace.in_background(self.workspace.versions.all, self._on_versions)

    def _on_versions(self, found: list[VersionRow] | Exception) -> None:
        if isinstance(found, Exception):
            self.shell.fail(found)
            return
        self._rows = {f"{one.model}:{one.version}": one for one in found}
        self.stack.show_list(bool(found))
        self.table.show_rows(_row(name, one) for name, one in self._rows.items())
        chosen = self.table.selected() or next(iter(self._rows), None)
        self.table.select(chosen)
        self._show(chosen)

    def _show(self, key: Hashable) -> None:
        if not isinstance(key, str):
            return

        def show(found: Lineage | Exception) -> None:
            if self.table.selected() == key and isinstance(found, Lineage):
                self._show_lineage(found)

        self.workspace.in_background(lambda: self.workspace.versions.lineage(key), show)

    def _show_lineage(self, found: Lineage) -> None:
        self.title.setText(f"{found.model}:{found.version}")
        self.fields.show_fields(
            [
                ("Variant", found.variants[0].variant),
                ("Aliases", ", ".join(found.aliases) or "none"),
                ("Deployed to", _places(found.targets) or "no target"),
                ("Release", found.digest[:16]),
                ("Content", found.content[:16] or "bundle removed"),
                ("Created", run_rows.local(found.created)),
                ("Tools", ", ".join(f"{k} {v}" for k, v in found.tools.items()) or "unknown"),
            ]
        )
        self.origin.show_rows(_origin(found))
        self.moves.show_rows(_moves(found))
        self.moved.setVisible(bool(found.moves))
        self._explain()

    # What can be done

    def _promote(self) -> None:
        self._start("version-promote", version=self._key(), alias=self.alias.text())

    def _set(self) -> None:
        self._start("version-alias", version=self._key(), alias=self.alias.text())

    def _roll_back(self) -> None:
        model = self._key().rpartition(":")[0]
        self._start("version-rollback", model=model, alias=self.alias.text())

    def _export(self) -> None:
        model = self._key().rpartition(":")[0]
        chosen, _filter = QFileDialog.getSaveFileName(
            self, f"Export {model}", f"{model}.zip", "Archives (*.zip)"
        )
        if chosen:
            self._start("project-export", out=chosen, model=[model])

    def _import(self) -> None:
        chosen, _filter = QFileDialog.getOpenFileName(
            self, "Import a project", "", "Archives (*.zip);;All files (*)"
        )
        if chosen:
            self._start("project-import", archive=chosen)

    def _collect(self) -> None:
        self._start("registry-gc", dry_run=True)

    def _start(self, step: str, **options: object) -> None:
        if not self.strip.running:
            self.strip.follow(self.shell.start(step, **options))
            self._explain()

    def _finished(self, outcome: JobOutcome) -> None:
        self._explain()
        if not outcome.ok:
            return
        result = outcome.result
        if isinstance(result, GarbageResult):
            count = figures.count(len(result.versions), "bundle")
            size = figures.size(result.bytes)
            self.shell.notify(
                f"{count}, {size} can be removed. None is deployed or has an alias. Command: "
                "studio registry gc"
            )
        elif isinstance(result, AliasMove):
            what = f"points to version {result.to}" if result.to else "was removed"
            self.shell.notify(f"{result.model}@{result.alias} {what}.", "good")
        elif isinstance(result, ExportResult):
            self.shell.notify(f"Exported to {result.output}.", "good")
        elif isinstance(result, ImportResult):
            names = ", ".join(model.name for model in result.models)
            self.shell.notify(f"Imported: {names}.", "good")

    def _key(self) -> str:
        return str(self.table.selected() or "")

    def _explain(self) -> None:
        reason = ""
        if not self.table.selected():
            reason = "Select a version first."
        elif self.strip.running:
            reason = "Wait for the running job or cancel it."
        alias = "" if self.alias.text() else "Enter an alias: production, candidate…"
        for each in (self.promote, self.set_alias, self.back):
            set_enabled(each, reason or alias)
        set_enabled(self.export, reason)


def _places(targets: Iterable[str]) -> str:
    return ", ".join(map(target_rows.named, targets))


def _row(name: str, one: VersionRow) -> SortableRow:
    aliases, places = ", ".join(one.aliases), _places(one.targets)
    created = run_rows.local(one.created)
    texts = (name, aliases or figures.NOTHING, places or figures.NOTHING, created)
    return SortableRow(name, texts, (name, aliases, places, one.created))


def _origin(found: Lineage) -> Iterator[StateRow]:
    """Yield the lineage rows, the last step first."""
    if found.packaged:
        inputs = _inputs(found.packaged.inputs)
        yield StateRow("package", "", "bundle", f"{inputs} {_by(found.packaged.by)}".strip())
    for one in found.variants:
        options = ", ".join(f"{k} {v}" for k, v in one.options.items() if _is_short(v))
        inputs = "" if one.step == "open" else _inputs(one.inputs)
        text = f"{options}; {figures.size(one.bytes)}; sha256 {one.digest[:12]}; {inputs}"
        text = "; ".join(part for part in text.split("; ") if part.strip())
        yield StateRow(one.step, "", one.variant, f"{text} {_by(one.by)}".strip())


def _moves(found: Lineage) -> Iterator[StateRow]:
    for move in found.moves:
        ground = move.ground
        gates = figures.count(len(ground.gates), "gate") if ground.gates else ""
        judged = f"{gates} passed in {ground.run}" if gates else ""
        because = f"reason: {ground.because}" if ground.because else ""
        change = f"{move.before or 'none'} → {move.to or 'none'}"
        parts = (change, run_rows.local(move.at), move.by, judged, because)
        text = ", ".join(filter(None, parts))
        tone = {"promoted": "good", "rolled back": "warning"}.get(move.why, "")
        yield StateRow(move.why, tone, move.alias, text)


def _inputs(inputs: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {digest[:12]}" for name, digest in inputs.items())


def _by(source: str) -> str:
    """Return who did it; a run of a pipeline is stored under its former name."""
    return f"({source})".replace("(recipe ", "(pipeline run ") if source else ""


def _is_short(value: object) -> bool:
    return value not in (None, "", [], False) and len(str(value)) < 60
