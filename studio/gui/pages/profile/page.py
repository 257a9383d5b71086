"""The Profile page: the verdict on the variants, the figures behind it, and the settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QWidget

from studio.api import Kind, Option
from studio.api.qt import plain_tip
from studio.documents.dataclass_json import from_json
from studio.gui import figures
from studio.gui.forms.editors import Choice
from studio.gui.option_words import outcome_in_window
from studio.gui.pages.profile import estimate, modes, more_rounds, rows, settings, verdict
from studio.gui.pages.profile.dynamic_shapes import is_open
from studio.gui.pages.profile.export import ProfileExport
from studio.gui.pages.profile.graph_link import GraphLink
from studio.gui.pages.profile.history import HistoryView
from studio.gui.pages.profile.language import backend_choices, backend_titles
from studio.gui.pages.profile.outcome import OutcomeCard
from studio.gui.pages.profile.results_view import Quality, ResultsView
from studio.gui.pages.profile.settings import BACKEND, MODE, SHAPES, ProfileSettings
from studio.gui.pages.shared import target_rows
from studio.gui.pages.shared.quality import quality
from studio.gui.pages.shared.stage_page import StagePage, needs_model
from studio.gui.shell import Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import GRID, Hint, set_enabled
from studio.gui.widgets.style_parts import PartScroll
from studio.models.results import ModelFigures
from studio.profiling.results import ProfileResult, RunMessage
from studio.workspace import NodeTimeAsked, ProfileDocument

if TYPE_CHECKING:
    from studio.workspace import JobOutcome, VariantRecord, Workspace

STEP = "profile"
CANCELLED = "cancelled"
RESULTS = 0
LIVE_MS = 250
EMPTY = (
    "The verdict, latencies with their intervals and the time of each operator appear here. "
    "Rounds are interleaved, so background load affects all variants equally."
)


class ProfilePage(StagePage):
    """The page that benchmarks variants against each other and shows the verdicts."""

    stage = STEP
    title = "Profile"
    icon = STEP
    repeats = ("profile", "study")

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self._result = ProfileResult()
        self._settled: int | None = None
        self._listed: list[VariantRecord] | None = None
        self._soon = QTimer(self, singleShot=True, interval=LIVE_MS)
        self._soon.timeout.connect(self._show_live)

    def build(self) -> Iterator[None]:
        """Make the settings, the results and the history, and connect them."""
        workspace, shell = self.workspace, self.shell
        self.settings = ProfileSettings(workspace.steps[STEP].form, self, shell.project)
        self.form, self.sizes = self.settings.form, self.settings.sizes
        yield
        self.outcome = OutcomeCard(self.strip)
        self.results = ResultsView(shell.theming)
        self.history = HistoryView()
        self.export = ProfileExport(workspace, shell)
        self.graph = GraphLink(workspace, shell, self.results)
        yield
        self._nothing = Hint("No results yet", EMPTY)
        self._pane = needs_model(self._content(), "profile", shell.go)
        self.add_view("Results", self._pane)
        yield
        self.add_views_of_features()
        yield
        self.add_view("History", self.history)
        self.add_tool(self.export)
        self.set_primary("Profile", self._do_next)
        self._command = self.add_command("Profile the selected variants", self.run)
        self._connect()

    def _connect(self) -> None:
        self.settings.submitted.connect(self.run)
        self.settings.again_asked.connect(self.run)
        self.settings.changed.connect(self._explain)
        self.outcome.more_asked.connect(self.run_more_rounds)
        self.outcome.again_asked.connect(self.run)
        self.strip.message.connect(self._live)
        self.strip.finished.connect(self._finished)
        self.results.selected.connect(self._show_verdict)
        self.results.node_asked.connect(self.graph.show_in_graph)
        self.history.chosen.connect(self._show_profile)
        for view in self.added:
            view.changed.connect(self._explain)
        self.stack.currentChanged.connect(lambda _: self._explain())

    def _content(self) -> QWidget:
        scroll = PartScroll(spacing=GRID + GRID // 2)
        scroll.body.addWidget(self.outcome)
        scroll.body.addWidget(self.settings)
        scroll.body.addWidget(self.results, 1)
        scroll.body.addWidget(self._nothing, 1)
        # What was measured before is read aside: until then the page is that of a new model.
        self.outcome.hide()
        self.results.hide()
        self.settings.show_line("")
        return scroll

    def choices(self, option: Option) -> Sequence[Choice] | None:
        """Return the variants of the current model, the machines, and the runtimes."""
        if option.kind is Kind.MODEL:
            found = self._variants()
            return [(f"#{v.id}", f"{v.name}  {figures.size(v.size)}") for v in found]
        if option.kind is Kind.TARGET:
            targets = self.workspace.registry.targets()
            return [(target.name, target_rows.title(target)) for target in targets]
        if option.name == BACKEND:
            return backend_choices(self.workspace, self.variant)
        return None

    def _variants(self) -> list[VariantRecord]:
        if self._listed is None:
            model = self.variant.model if self.variant is not None else None
            self._listed = self.workspace.registry.variants(model) if model is not None else []
        return self._listed

    def _names(self) -> rows.Names:
        """Return the display names of the runtimes and of the machine."""
        return rows.Names(backend_titles(self.workspace), target_rows.spoken(self._result.target))

    # What is shown

    def refresh_soon(self) -> None:
        """Refresh now, or when the page is shown; the variants may be others."""
        self._listed = None
        super().refresh_soon()

    def refresh(self) -> None:
        """Offer the variants of the current model, and show its newest run."""
        self._listed = None
        self._pane.show_content(self.variant is not None)
        self.settings.offer_variants([f"#{variant.id}" for variant in self._variants()])
        for view in self.added:
            view.refresh(self.variant)
        self.settings.show_language(self.workspace.profiles.text_backend(self.variant))
        self._explain()
        if self.variant is None:
            self._show_profiles(None, [])
            return
        model = self.variant.model
        # Profiles with operators are large, and there may be many: they are read aside.
        self.workspace.in_background(
            lambda: self.workspace.profiles.all(model), partial(self._show_profiles, model)
        )

    def _show_profiles(
        self, model: int | None, profiles: list[ProfileDocument] | Exception
    ) -> None:
        """Show the newest profile of a model, list all, and ask for the sizes of its inputs."""
        if isinstance(profiles, Exception):
            self.shell.fail(profiles)
            return
        if model != (self.variant.model if self.variant is not None else None):
            return  # the user chose another model since
        newest = profiles[0] if profiles else ProfileDocument()
        self.history.show_profiles(profiles)
        inputs = ModelFigures.read(self.variant.summary).inputs if self.variant is not None else ()
        before = newest.options.get(SHAPES)
        self.sizes.show_inputs(inputs, before if isinstance(before, list) else ())
        self.settings.show_open_sizes(any(is_open(each.shape) for each in inputs if each.shape))
        if model != self._settled:
            self._settle(model, newest)
        if not self.strip.running:
            self._show_result(newest)
        self._show_wanted()

    def _show_wanted(self) -> None:
        """Select the node that the graph has named, once the profile is shown."""
        if self.graph.show_wanted(self._result, self.variant):
            self.show_view(RESULTS)

    def _settle(self, model: int | None, newest: ProfileDocument) -> None:
        """Begin with a model: its last settings, in a line where there is a result."""
        self._settled = model
        self.results.forget_selection()
        self.outcome.forget()
        self.settings.take_over(newest.options)
        self.settings.fold(bool(newest.runs))

    def _show_profile(self, profile: ProfileDocument) -> None:
        """Show an earlier profile among the results."""
        self._show_result(profile)
        self.show_view(RESULTS)
        self.shell.notify(f"Showing run {profile.run} of {figures.moment(profile.at)}.")

    def _show_result(self, result: ProfileResult) -> None:
        self._result = result
        self.export.show_run(result.run)
        names = self._names()
        self.settings.show_line(
            settings.line(result, names, self._shown_options()) if result.runs else ""
        )
        self._show_rows(names)

    def _show_live(self) -> None:
        self._show_rows(self._names())

    def _show_rows(self, names: rows.Names) -> None:
        running = self.strip.running
        self.results.show_result(self._result, names, self._quality(), running=running)
        has_rows = bool(self.results.rows)
        self.results.setVisible(has_rows or running)
        self._nothing.setVisible(not has_rows and not running)
        self._show_verdict()

    def _show_verdict(self) -> None:
        """Show the verdict on the selected run, unless a run reports or has failed."""
        if not self.strip.running and not self.outcome.has_failed:
            item = self.results.selected_row()
            if item is None:
                self.outcome.hide()
            else:
                more, reason = self._more_rounds()
                self.outcome.show_verdict(self._headline(item), more, reason)
        self._explain()

    def _headline(self, item: rows.ProfileRow) -> verdict.Headline:
        if item.reason:
            name = item.texts[0]
            return verdict.Headline(item.state, item.tone, f"{name}: {item.state}.", item.reason)
        return verdict.headline(self._result, item.key, self._names().target)

    def _quality(self) -> Quality:
        """Return metric and size of each variant by name."""
        variants = self._variants()
        found, title = quality(variants)
        metric = {v.name: found[v.id] for v in variants if v.id in found}
        return Quality(metric, title, {v.name: v.size for v in variants})

    # Runs

    def run(self) -> None:
        """Measure what is ticked."""
        if self.variant is None or self.strip.running or not self.settings.check():
            return
        self._start(self.settings.values())

    def run_more_rounds(self) -> None:
        """Measure the shown variants again, with as many rounds as would probably decide."""
        more, reason = self._more_rounds()
        if more is not None and not reason:
            form = self.workspace.steps[STEP].form
            self._start(more_rounds.options(more, self._shown_options(), form))

    def _start(self, options: Mapping[str, object]) -> None:
        if not self.strip.follow(self.shell.start(STEP, **options)):
            self._explain()
            return
        target = str(estimate.RunPlan.read(options).target or "")
        mode = str(options.get(MODE) or modes.LATENCY)
        self._result = ProfileResult(mode=mode, target=target)
        self.export.show_run(None)
        self.settings.fold(True)
        self.settings.show_line(settings.running_line(options, self._names()))
        self.outcome.show_running()
        self._show_rows(self._names())

    def _shown_options(self) -> Mapping[str, object]:
        """Return the options of the profile that is shown; empty where they are not known."""
        return self._result.options if isinstance(self._result, ProfileDocument) else {}

    def _more_rounds(self) -> tuple[verdict.MoreRounds | None, str]:
        """Return the run that would decide, and why it cannot be started."""
        known = {variant.id for variant in self._variants()}
        return more_rounds.proposed(self._result, self._shown_options(), known)

    def _live(self, name: str, values: dict[str, object]) -> None:
        """Store the partial result of a run, which is shown a few times a second."""
        if name == "run":
            self._result = rows.live(self._result, from_json(RunMessage, values))
        elif name in modes.MESSAGES:
            message = from_json(modes.MESSAGES[name], values)
            self._result = modes.add_message(self._result, message)
        else:
            return
        if not self._soon.isActive():
            self._soon.start()

    def on_event(self, event: object) -> None:
        """Follow the page's job, the files that are written, and what the graph asks for."""
        if isinstance(event, NodeTimeAsked):
            self.graph.wanted = event.name
            self._show_wanted()
        self.export.on_event(event)
        for view in self.added:
            view.on_event(event)
        super().on_event(event)

    def _finished(self, outcome: JobOutcome) -> None:
        self._soon.stop()
        self.results.forget_selection()  # so that what is compared is selected, not what ran
        if not outcome.ok and outcome.end.value != CANCELLED:
            words = self.workspace.steps[self.stage].form
            self.outcome.show_failure(outcome_in_window(outcome, words))
        else:
            self.outcome.forget()
        self.refresh_soon()

    # The next step

    def _do_next(self) -> None:
        """Do what the primary button names."""
        if self.shown_added is not None:
            self.shown_added.run()
        elif self._deployable():
            run = self.results.selected_run()
            assert run is not None
            self.shell.select(run.variant_id or 0)
            self.shell.go("deploy")
        else:
            self.run()

    def _deployable(self) -> bool:
        """Return whether the next step is to deploy the selected variant."""
        run = self.results.selected_run()
        known = {variant.id for variant in self._variants()}
        return (
            run is not None
            and run.variant_id in known
            and not self.strip.running
            and not self.outcome.has_failed
            and self.settings.is_folded
            and verdict.is_decided(self._result, run.id)
        )

    def _explain(self) -> None:
        """Name the primary button, and say on it why it cannot be pressed."""
        if self.primary is None:
            return
        added = self.shown_added
        self.export.setHidden(added is not None)
        if added is not None:
            self._name_primary(*added.next_step())
            return
        ticked = self.settings.ticked()
        options = {name: field.editor.value() for name, field in self.form.fields.items()}
        self._nothing.text.setText(f"{EMPTY} {estimate.sentence(options, len(ticked))}".strip())
        run = self.results.selected_run()
        if self._deployable() and run is not None:
            text, tip = f"Deploy {rows.variant_name(run)}", "Choose this variant and go to Deploy"
        elif self.results.rows and self.settings.is_folded:
            text, tip = "Profile again", ""
        else:
            text = f"Profile {figures.count(len(ticked), 'variant')}" if ticked else "Profile"
            tip = ""
        reason = self._why_not()
        self._name_primary(text, "" if self._deployable() else reason, tip)
        set_enabled(self.settings.again, reason)
        explain(self._command, reason)

    def _name_primary(self, text: str, reason: str, tip: str = "") -> None:
        if self.primary is None:
            return
        self.primary.setText(text)
        self.primary.setAccessibleName(text)
        set_enabled(self.primary, reason)
        if tip:
            self.primary.setToolTip(plain_tip(tip))

    def _why_not(self) -> str:
        """Return why no run can be started; empty where one can."""
        if self.variant is None:
            return "Open a model first."
        if self.strip.running:
            return "A profile is running. Cancel it to start another one."
        return self.workspace.why_not(STEP, self.variant)
