"""The options of a deployment: which are shown, and what must be confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.api import Kind, Option, TargetSpec
from studio.api.sheets import DeploySheet, touched
from studio.gui.current_project import CurrentProject
from studio.gui.forms.form import Form
from studio.gui.pages.deploy.release_details import ReleaseDetails
from studio.gui.pages.deploy.target_kinds import scheme_of
from studio.gui.widgets.basics import GRID, ElidedLabel, label

if TYPE_CHECKING:
    from studio.workspace import VariantRecord, Workspace

NOT_ASKED = ("dry_run", "bundle", "replace")
IN_SIGHT = ("data", "labels", "preprocess", "endpoint", "expose", "token", "tls", "trial")
"""Options that are always visible, in this order: at most eight."""

MACHINE_ONLY = (
    *("expose", "token", "token_file", "tls", "cert", "key", "port", "budget_ms"),
    *("allowed_host", "allow_unauthenticated", "host", "endpoint"),
)
"""Options that a platform does not take, as it has its own."""

MOST_IN_SIGHT = 8
"""Fields that Configure shows at most, those of the studio and the platform together."""

TRIAL = ("trial", "trial_rule")
COMPARED = ("shadow_cpu",)
KEPT = ("keep_samples", "samples_mb")
BESIDE = "samples_mb"
"""Its own reason is the one of the field before it."""
ENDPOINT = "endpoint"
SET = "set"
LOCAL = "local"


def form_options(options: Sequence[Option]) -> list[Option]:
    """Return the options besides model and target; those that matter most are always visible."""
    shown = [
        replace(option, advanced=option.name not in IN_SIGHT)
        for option in options
        if option.name not in NOT_ASKED
        and option.kind not in (Kind.MODEL, Kind.TARGET, Kind.OUTPUT)
    ]
    rank = {name: at for at, name in enumerate(IN_SIGHT)}
    return sorted(shown, key=lambda option: rank.get(option.name, len(rank)))


def folded(options: Sequence[Option], room: int) -> list[Option]:
    """Return options of which only the first are always visible, and those that are required.

    Args:
        room: How many fields there is room for.
    """
    needed = sum(option.required for option in options)
    free = max(room - needed, 0)
    found = []
    for option in options:
        is_plain = not option.advanced and not option.required and free > 0
        free -= is_plain
        found.append(replace(option, advanced=not (is_plain or option.required)))
    return found


class ConfigureStep(QWidget):
    """The options of one deployment, filled from the project.

    Attributes:
        form: The studio's own options.
        own: The options of the platform; None for a machine.
    """

    def __init__(
        self, workspace: Workspace, options: Sequence[Option], project: CurrentProject
    ) -> None:
        super().__init__()
        self._workspace = workspace
        self._sheet: DeploySheet | None = None
        self._target: TargetSpec | None = None
        self.subject = ElidedLabel("")
        self.subject.setProperty("role", "strong")
        self.form = Form(form_options(options), columns=2, project=project)
        self.own: Form | None = None
        self._own_title = label("Options of the platform", "section")
        self._own_title.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2 * GRID)
        column.addWidget(self.subject)
        column.addWidget(self.form)
        column.addWidget(self._own_title)

    def show_variant(self, text: str) -> None:
        """Show what is deployed."""
        self.subject.setText(text)

    def show_target(self, target: TargetSpec | None, sheet: DeploySheet | None = None) -> None:
        """Offer the options of another target; what it does not support is withheld."""
        workspace = self._workspace
        for names, why in (
            (TRIAL, workspace.why_no_trial),
            (COMPARED, workspace.why_none_compared),
            (KEPT, workspace.why_none_kept),
        ):
            reason = why(target) if target is not None else ""
            for name in names:
                self.form.fields[name].withhold(reason)
        self.form.fields[BESIDE].explain("")
        has_own = sheet is not None and bool(sheet.deploy_options)
        for name in MACHINE_ONLY:
            field = self.form.fields[name]
            if has_own and not field.isHidden():
                field.editor.set_value(field.option.default)
            field.setVisible(not has_own)
        self.form.fields[SET].setVisible(not has_own)
        if target != self._target or sheet is not self._sheet:
            self._target, self._sheet = target, sheet
            self._make_own(sheet, target)

    def _make_own(self, sheet: DeploySheet | None, target: TargetSpec | None) -> None:
        """Make the form of the platform; what the target was given already is not asked again."""
        if self.own is not None:
            self.own.hide()
            self.own.deleteLater()
            self.own = None
        given = dict(target.settings) if target is not None else {}
        options = [] if sheet is None else [o for o in sheet.deploy_options if o.name not in given]
        self._own_title.setVisible(bool(options))
        layout = self.layout()
        if options and layout is not None:
            common = [name for name in IN_SIGHT if name not in MACHINE_ONLY]
            self.own = Form(folded(options, MOST_IN_SIGHT - len(common)), columns=2)
            layout.addWidget(self.own)

    def check(self) -> bool:
        """Show what is wrong; True when all values fit."""
        return self.form.check() and (self.own is None or self.own.check())

    def values(self) -> dict[str, Any]:
        """Return the options of the step ``deploy``."""
        values = self.form.values()
        if self.own is not None and self._sheet is not None:
            changed = touched(self._sheet.deploy_options, self.own.values())
            pairs = [f"{name}={text}" for name, text in changed.items() if text]
            values[SET] = [*(values.get(SET) or ()), *pairs]
        return values


def replaced_model(
    workspace: Workspace,
    target: TargetSpec | None,
    variant: VariantRecord | None,
    values: Mapping[str, Any],
) -> str:
    """Return the other model that a deployment replaces, as far as known; else empty."""
    if target is None or variant is None or values.get(ENDPOINT):
        return ""
    running = workspace.registry.history.running().get(target.name)
    served = ReleaseDetails.of(running).name if running is not None else ""
    return "" if served == variant.model_name else served


def on_network(target: TargetSpec, values: Mapping[str, Any]) -> bool:
    """Return whether a deployment reaches the network: another machine, or callers from there."""
    opened = values.get("expose") == "network" or bool(values.get("host"))
    return scheme_of(target) != LOCAL or opened
