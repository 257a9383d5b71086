"""The stages of the rail, and the pages that are imported when they are first visited."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from studio.lazy_dataclass import dataclass

if TYPE_CHECKING:
    from studio.gui.pages.shared.base import Page
    from studio.gui.shell import Shell
    from studio.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Stage:
    """An entry of the rail.

    Attributes:
        page: ``"module:class"``.
        steps: Steps whose jobs belong to this stage.
        at_bottom: Not a step of the pipeline, but something around it.
        parts: Modules of the page that are imported one by one before it, as to import all at
            once would hold up the window.
    """

    id: str
    title: str
    page: str
    shortcut: str
    steps: frozenset[str] = frozenset()
    at_bottom: bool = False
    parts: tuple[str, ...] = ()


_KEYS = 10
_APP_KEY = "Ctrl+Shift+A"


def _stage(
    title: str,
    number: int,
    *steps: str,
    id: str = "",
    parts: str = "",
    at_bottom: bool = False,
    key: str = "",
) -> Stage:
    """Return a stage whose page is named like its identifier.

    Args:
        id: By default the title; another one where the title is newer than what is stored.
        parts: Modules below ``studio.gui``; others by their whole names.
        key: The shortcut of a stage beyond the numbered ones.
    """
    name = id or title.lower()
    page = f"studio.gui.pages.{name}.page:{name.title()}Page"
    modules = tuple(
        part if part.startswith("studio.") else f"studio.gui.{part}" for part in parts.split()
    )
    shortcut = f"Ctrl+{number}" if number < _KEYS else key
    return Stage(name, title, page, shortcut, frozenset(steps), at_bottom, modules)


_OF_JOBS = """
studio.api.ports studio.jobs.step studio.documents.toml_text studio.settings.distributions
studio.settings.installation studio.plugin_host studio.jobs.spec studio.jobs.sandbox.level
studio.jobs.process studio.jobs.spread.executors studio.jobs.runner
"""

_OF_WORKSPACE = """
studio.runtime.shared.manifest studio.registry.rows studio.registry.backups
studio.registry.releases studio.registry.registry studio.models.labels.node_rows
studio.models.outputs.words studio.conversion.results studio.quantization.results
studio.monitoring.results studio.monitoring.chat.subjects studio.monitoring.stream.results
studio.monitoring.chat.texts studio.models.surgery.step studio.workspace.alert_file
studio.conversion.targets studio.packages.backends studio.models.source_formats
studio.targets.facts studio.steps.resolve studio.projects.projects studio.steps.runner
studio.plans
"""
"""What the workspace loads when a job starts, in pieces."""

_OF_PROJECT = (
    "studio.models.results studio.runtime.bench.facts studio.profiling.operator_times "
    "studio.profiling.results graph.costs pages.project.samples_card pages.project.project_run "
    "forms.form pages.project.page"
)
"""With what reads the results of stages for the rail, once a model is open."""

_OF_MODEL = (
    "window.command_palette graph.scene graph.paint graph.canvas graph.view "
    "pages.model.node_metrics_view pages.model.coverage_view pages.model.drawer "
    "pages.model.inspector pages.model.compare_view pages.model.search pages.model.page"
)

_OF_QUANTIZE = (
    "pages.quantize.preset_editor pages.quantize.target_evaluation_view "
    "pages.quantize.samples_view pages.quantize.variants_view pages.quantize.preset_cards "
    "pages.quantize.page"
)

_OF_PROFILE = (
    "pages.profile.rows pages.profile.settings pages.profile.boards.settings "
    "pages.profile.boards.view pages.profile.page"
)
_OF_DEPLOY = (
    "pages.shared.host_key_panel pages.deploy.boards_view pages.deploy.rollout_view "
    "widgets.sheet pages.deploy.gallery pages.deploy.sheet pages.deploy.page"
)

_OF_MONITOR = (
    "charts.time_chart pages.monitor.fleet_view pages.monitor.endpoint_view pages.monitor.page"
)

_OF_FLEET = (
    "studio.monitoring.boards.results studio.workspace.boards.view "
    "studio.workspace.boards.snapshots pages.fleet.boards_view pages.fleet.page"
)
_FLEET_KEY = "Ctrl+Shift+F"

_APP_STEPS = ("app-run", "app-test")
"""Steps that make the stage busy; the check of an app is over in a moment."""

_OF_APP = (
    "studio.apps.results pages.app.graph_view pages.app.event_table pages.app.preview_card "
    "pages.app.run_view pages.app.page"
)

_EVIDENCE_STEPS = (
    "evidence", "evidence-verify", "evidence-answer", "evidence-request", "evidence-screen",
    "evidence-notice", "incident-open", "incident-note", "incident-report", "incident-close",
    "incident-export",
    "groups", "robustness", "explain",
)  # fmt: skip
_EVIDENCE_KEY = "Ctrl+Shift+E"

_OF_EVIDENCE = (
    "studio.evidence.groups.results studio.evidence.robustness.results "
    "studio.evidence.explanations.results studio.evidence.results "
    "studio.evidence.incidents.results "
    "pages.evidence.section_list pages.evidence.groups_view pages.evidence.explanations_view "
    "pages.evidence.answer_sheet pages.evidence.export_sheet pages.evidence.page"
)

STAGES = (
    _stage("Project", 1, "project-set", parts=_OF_JOBS + _OF_WORKSPACE + _OF_PROJECT),
    _stage("Model", 2, "open", "inspect", "graph", "diff", parts=_OF_MODEL),
    _stage("Optimize", 3, "quantize", id="quantize", parts=_OF_QUANTIZE),
    _stage("Profile", 4, "profile", "evaluate", parts=_OF_PROFILE),
    _stage("App", 12, *_APP_STEPS, parts=_OF_APP, key=_APP_KEY),
    _stage("Deploy", 5, "package", "plan", "deploy", "rollback", "undeploy", parts=_OF_DEPLOY),
    Stage(
        "try",
        "Try it",
        "studio.gui.pages.try_it.page:TryItPage",
        "Ctrl+6",
        frozenset({"stream", "decisions-override"}) | frozenset({"chat", "chat-served"}),
    ),
    _stage("Monitor", 7, "monitor", "call", parts=_OF_MONITOR),
    _stage("Evidence", 13, *_EVIDENCE_STEPS, parts=_OF_EVIDENCE, key=_EVIDENCE_KEY),
    _stage("Fleet", 14, parts=_OF_FLEET, at_bottom=True, key=_FLEET_KEY),
    _stage("Runs", 8, parts="pages.runs.page", at_bottom=True),
    _stage("Targets", 9, "target-probe", at_bottom=True),
    _stage("Settings", 11, at_bottom=True, key="Ctrl+,"),
)
PLUGINS = _stage("Plugins", 10, at_bottom=True)
"""A page of Settings, with no entry of its own in the rail."""

RESPONSIBLE = Stage(
    "responsible",
    "Responsible AI",
    "studio.gui.pages.responsible.page:ResponsiblePage",
    "Ctrl+Shift+R",
    at_bottom=True,
)
"""The evidence of all models, which Evidence and the fleet lead to."""

WELCOME = Stage("welcome", "Welcome", "studio.gui.pages.welcome.page:WelcomePage", "Ctrl+0")
_RARE = ("app", "evidence", "fleet")
AHEAD = tuple(stage for stage in STAGES if stage.id not in _RARE)
"""The pages that are made before their first visit. A session may never need the others, which
take 60 MB."""

BY_ID = {stage.id: stage for stage in (*STAGES, PLUGINS, RESPONSIBLE, WELCOME)}

IN_RAIL = {"welcome": "model", "plugins": "settings", "responsible": "evidence"}
"""The entry of the rail for a page that has none."""


def new_page(stage: str, workspace: Workspace, shell: Shell) -> Page:
    """Import the page of a stage and create it; its ``build`` does the rest."""
    module, _, name = BY_ID[stage].page.partition(":")
    created: Page = getattr(importlib.import_module(module), name)(workspace, shell)
    return created


def stage_of_step(step: str) -> str:
    """Return the stage whose page shows a step; empty for one that belongs to none."""
    return next((stage.id for stage in STAGES if step in stage.steps), "")
