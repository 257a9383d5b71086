"""The Evidence page: sections of the dossier, explanations, and quality by group."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtGui import QResizeEvent

from studio.api.qt import plain_tip
from studio.features.evidence.pages.evidence.answer_saver import ANSWER, REQUEST, AnswerSaver
from studio.features.evidence.pages.evidence.document_view import DocumentView
from studio.features.evidence.pages.evidence.explanations_card import ExplanationsCard
from studio.features.evidence.pages.evidence.explanations_view import ExplanationsView
from studio.features.evidence.pages.evidence.folders import EXPORT, NOTICE, VERIFY, EvidenceFolders
from studio.features.evidence.pages.evidence.groups_card import GroupsCard
from studio.features.evidence.pages.evidence.groups_view import GroupsView
from studio.features.evidence.pages.evidence.incident_keeper import IncidentKeeper
from studio.features.evidence.pages.evidence.loader import EvidenceLoader
from studio.features.evidence.pages.evidence.required_figures import remember_required, required_of
from studio.features.evidence.pages.evidence.section_view import SectionView
from studio.features.evidence.survey.views import EvidenceSection, EvidenceSurvey
from studio.gui import figures
from studio.gui.pages.shared.stage_page import JobStrip, Needs, StagePage
from studio.gui.shell import Shell
from studio.gui.widgets.actions import explain
from studio.gui.widgets.basics import GRID, Hint, Pill, Scroll, button, set_enabled
from studio.workspace import StageRead

if TYPE_CHECKING:
    from studio.workspace import Workspace

GROUPS, ROBUSTNESS, EXPLAIN = "groups", "robustness", "explain"
OVERVIEW_VIEW, CARD_VIEW, DOSSIER_VIEW, EXPLANATIONS_VIEW, GROUPS_VIEW, INCIDENTS_VIEW = range(6)
_TONES = {"present": "good", "asked": "accent", "missing": "bad"}
_VIEWS = {"groups": GROUPS_VIEW, "explanations": EXPLANATIONS_VIEW, "incidents": INCIDENTS_VIEW}
_SIGNS = {"present": "✓", "asked": "?", "missing": "○"}
_WIDE, _PILLS, _PIPELINE = 1260, 1000, 1400
_NO_MODEL = "Open a model first."
_READING = "The records of the model are being read."


class EvidencePage(StagePage):
    """The page of the evidence about the current variant.

    Attributes:
        loader: What is shown.
        folders: The sheets that write and verify folders.
        answers: The sheet that answers a question.
    """

    stage = "evidence"
    title = "Evidence"
    icon = "evidence"
    repeats = (EXPORT, GROUPS, ROBUSTNESS, EXPLAIN)
    explains = (EXPORT, VERIFY, NOTICE, ANSWER, REQUEST)

    def __init__(self, workspace: Workspace, shell: Shell) -> None:
        super().__init__(workspace, shell)
        self.loader = EvidenceLoader(workspace)
        self._selected = ""
        self._problem = ""

    def build(self) -> Iterator[None]:
        """Make the views one after the other."""
        theming = self.shell.theming
        self.explanations = ExplanationsCard(theming)
        self.groups = GroupsCard(theming)
        cards = Scroll(margin=0, spacing=GRID + 4)
        for card in (self.explanations, self.groups):
            cards.body.addWidget(card)
        cards.body.addStretch(1)
        self.models_link = button("Evidence of all models", self._show_models, "link")
        self.verify_link = button("Verify a folder…", self.open_verification, "link")
        self.notice_link = button("Notice for users…", lambda: self.folders.open_notice(), "link")
        links = (self.models_link, self.notice_link, self.verify_link)
        self.overview = DocumentView(theming, "Sections", cards, links)
        yield
        self.card_content, self.dossier_content = SectionView(), SectionView()
        self.card = DocumentView(theming, "Sections of the model card", self.card_content)
        self.dossier = DocumentView(theming, "Sections of Annex IV", self.dossier_content)
        yield
        self.explaining = ExplanationsView(theming)
        self.grouping = GroupsView(theming)
        yield
        self.incidents = IncidentKeeper(self, self.workspace, self.shell)
        self._offer_options()
        self._panes = []
        for title, view in (
            ("Overview", self.overview),
            ("Model card", self.card),
            ("Dossier", self.dossier),
            ("Explanations", self.explaining),
            ("Groups", self.grouping),
            ("Incidents", self.incidents.view),
        ):
            self._panes.append(Needs(view, self._hint()))
            self.add_view(title, self._panes[-1])
        yield
        self.answers = AnswerSaver(self, self.shell)
        self.folders = EvidenceFolders(self, self.workspace, self.shell)
        self._make_tools()
        self._connect()
        self._explain()

    def _hint(self) -> Hint:
        return Hint(
            "No model open",
            "Records, answers and gaps about a model appear here, with its explanations and its "
            "quality by group.",
            "See all models",
            self._show_models,
        )

    def _show_models(self) -> None:
        self.shell.go("responsible")

    def _offer_options(self) -> None:
        """Offer the choices of the steps."""
        self.explaining.offer(_option(self.workspace, EXPLAIN, "method"))
        metric = _option(self.workspace, GROUPS, "metric")
        for card in (self.groups, self.grouping.card):
            card.offer(metric)

    def _make_tools(self) -> None:
        self.pills = {state: Pill("", tone) for state, tone in _TONES.items()}
        for pill in self.pills.values():
            self.add_tool(pill, left=True)
        self.export_button = button("Export…", self.open_export)
        self.add_tool(self.export_button)
        self.set_primary("Write the next section →", self.write_next)
        self._write_command = self.add_command(
            "Write the next section of evidence", self.write_next
        )
        self._export_command = self.add_command("Export evidence…", self.open_export)
        self.add_command("Verify a folder of evidence…", self.open_verification)
        self.add_command("Notice for users…", self.folders.open_notice)
        self._groups_command = self.add_command("Measure quality by group", self.measure_groups)
        self._robust_command = self.add_command("Measure robustness", self.measure_robustness)
        self._explain_command = self.add_command("Explain samples", self.explain_samples)

    def _connect(self) -> None:
        for view in (self.overview, self.card, self.dossier):
            view.list.chosen.connect(self.select)
            view.list.opened.connect(self.open_section)
        for content in (self.card_content, self.dossier_content):
            content.written.connect(self.write)
            content.went.connect(self._go)
        self.loader.surveyed.connect(self._show_survey)
        self.loader.sampled.connect(self._show_samples)
        self.loader.explained.connect(self._show_explanations)
        self.loader.failed.connect(self._failed)
        self.explanations.wanted.connect(lambda: self.show_view(EXPLANATIONS_VIEW))
        self.groups.wanted.connect(lambda: self.show_view(GROUPS_VIEW))
        self.groups.misses.connect(self._show_misses)
        self.explaining.started.connect(self.explain_samples)
        self.grouping.started.connect(self.measure_groups)
        self.grouping.robustness.wanted.connect(self.measure_robustness)
        self.grouping.misses.explained.connect(self._explain_these)
        for card in (self.groups, self.grouping.card):
            card.changed.connect(partial(self._changed, card))
        for strip in self._measuring():
            strip.finished.connect(lambda _: self._explain())

    def _measuring(self) -> tuple[JobStrip, JobStrip, JobStrip]:
        return self.explaining.strip, self.grouping.strip, self.grouping.robustness.strip

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave to the command palette what finds no room in the header."""
        super().resizeEvent(event)
        width = event.size().width()
        self.hide_pipeline_button(width < _PIPELINE)
        self._show_pills(width)

    def _show_pills(self, width: int) -> None:
        """Show the numbers of sections by state; a sign in place of a long word."""
        for state, pill in self.pills.items():
            count = self.survey.count(state) if self.survey is not None else 0
            word = state if width >= _WIDE else _SIGNS[state]
            pill.show_state(f"{count} {word}", _TONES[state])
            pill.setAccessibleName(f"{count} sections {state}")
            pill.setToolTip(plain_tip(f"{figures.count(count, 'section')} {state}"))
            pill.setVisible(width >= _PILLS and self.survey is not None)

    # Reading

    @property
    def survey(self) -> EvidenceSurvey | None:
        """What was read last; None without a model, and until it is read."""
        return self.loader.survey

    def refresh(self) -> None:
        """Read the records of the current variant in the background."""
        variant = self.variant
        for pane in self._panes:
            pane.show_content(variant is not None)
        if variant is not None:
            if self.survey is not None and self.survey.variant != variant.id:
                self._selected = ""
                self.grouping.by.clear()
            variants = self.workspace.registry.variants(variant.model)
            self.explaining.show_variants(variant, variants)
        self.loader.read(variant)

    def _failed(self, error: Exception) -> None:
        self._problem = str(error)
        self.shell.fail(error)

    def _show_samples(self) -> None:
        self.grouping.show_samples(self.loader.samples)
        self.explaining.show_samples(self.loader.samples)

    def _show_survey(self) -> None:
        """Show what was read."""
        survey = self.survey
        if survey is not None:
            self._problem = ""
            for view, groups in (
                (self.overview, survey.overview),
                (self.card, survey.card),
                (self.dossier, survey.chapters),
            ):
                view.list.show_sections(survey, groups)
        self._show_pills(self.width())
        self._show_groups()
        self.incidents.show_survey(self.variant, survey)
        if survey is not None:
            self.workspace.events.publish(StageRead(survey.variant))
        self.select(self._selected or self._first())

    def _first(self) -> str:
        section = self.survey.next_open() if self.survey is not None else None
        return section.id if section is not None else ""

    def _show_groups(self) -> None:
        survey = self.survey
        groups = survey.groups if survey is not None else None
        at = survey.times.get(GROUPS, "") if survey is not None else ""
        self.groups.show_result(groups, at)
        self.grouping.show_survey(survey)
        name = self.variant.model_name if self.variant is not None else ""
        limit = required_of(self.workspace.settings, name, groups.required if groups else None)
        for card in (self.groups, self.grouping.card):
            card.set_limit(limit)

    def _show_explanations(self) -> None:
        survey = self.survey
        result = survey.explanations if survey is not None else None
        at = survey.times.get(EXPLAIN, "") if survey is not None else ""
        for card in (self.explanations, self.explaining.card):
            card.show_result(result, at, self.loader.pictures, self.loader.samples)

    # Sections

    def select(self, name: str) -> None:
        """Select a section in all lists, and show its content."""
        self._selected = name
        section = self.survey.sections.get(name) if self.survey is not None else None
        for view in (self.overview, self.card, self.dossier):
            view.list.select(name)
        for content in (self.card_content, self.dossier_content):
            content.show_section(section)
        self._explain()

    def open_section(self, name: str) -> None:
        """Show a section in the view of its document."""
        self.select(name)
        if self.survey is not None and self.stack.currentIndex() == OVERVIEW_VIEW:
            on_card = any(name in group.sections for group in self.survey.card)
            self.show_view(CARD_VIEW if on_card else DOSSIER_VIEW)

    def _next(self) -> EvidenceSection | None:
        return self.survey.next_open(self._selected) if self.survey is not None else None

    def write_next(self) -> None:
        """Write the selected section, or the next one that a person has to write."""
        section = self._next()
        if section is not None:
            self.write(section.id)

    def write(self, name: str) -> None:
        """Open the sheet of a section."""
        if self.survey is not None:
            self.select(name)
            self.answers.open_for(f"#{self.survey.variant}", self.survey.sections[name])

    def _go(self, name: str) -> None:
        if name in _VIEWS:
            self.show_view(_VIEWS[name])
        else:
            self.shell.go(name)

    # Steps

    def _start(self, step: str, **options: Any) -> Any:
        if self.variant is None:
            return None
        return self.shell.start(step, model=f"#{self.variant.id}", **options)

    def measure_groups(self) -> None:
        """Measure quality by group."""
        if not self._why_not(GROUPS) and not self.grouping.strip.running:
            self.show_view(GROUPS_VIEW)
            self.grouping.strip.follow(self._start(GROUPS, **self.grouping.options()))
            self._explain()

    def measure_robustness(self) -> None:
        """Measure quality on corrupted samples."""
        strip = self.grouping.robustness.strip
        if not self._why_not(ROBUSTNESS) and not strip.running:
            self.show_view(GROUPS_VIEW)
            strip.follow(self._start(ROBUSTNESS))
            self._explain()

    def explain_samples(self) -> None:
        """Explain the chosen samples."""
        if not self._why_not(EXPLAIN) and not self.explaining.strip.running:
            self.show_view(EXPLANATIONS_VIEW)
            self.explaining.strip.follow(self._start(EXPLAIN, **self.explaining.options()))
            self._explain()

    def _explain_these(self, numbers: list[str]) -> None:
        self.explaining.choose(numbers)
        self.explain_samples()

    def _show_misses(self, column: str, group: str) -> None:
        self.show_view(GROUPS_VIEW)
        self.grouping.show_misses(column, group)

    def _changed(self, card: GroupsCard) -> None:
        """Keep the required figure; another metric is measured on its view."""
        limit, other = card.limit(), self.grouping.card
        if self.variant is not None:
            remember_required(self.workspace.settings, self.variant.model_name, limit)
        if card is self.groups:
            other.metrics.setCurrentIndex(card.metrics.currentIndex())
            other.set_limit(limit)
        else:
            self.groups.set_limit(limit)
        result = card.result
        if result is not None and card.metrics.currentData() not in (result.metric, "auto"):
            self.measure_groups()

    def open_export(self) -> None:
        """Open the sheet of the export."""
        if self.variant is not None:
            self.folders.open_export(self.variant, self._why_not_export())

    def open_verification(self) -> None:
        """Open the sheet that verifies a folder."""
        self.folders.open_verification()

    # What can be done now

    def _why_not(self, step: str) -> str:
        return _NO_MODEL if self.variant is None else self.workspace.why_not(step, self.variant)

    def _why_not_export(self) -> str:
        if self.variant is None:
            return _NO_MODEL
        return self._problem or ("" if self.survey is not None else _READING)

    def _explain(self) -> None:
        """Name the primary button after the section that it writes; give reasons."""
        section = self._next()
        text = f"Write {section.title} →" if section is not None else "Write the next section →"
        reason = self._why_not_export()
        if not reason and section is None:
            reason = "All questions are answered."
        assert self.primary is not None
        self.primary.setText(text)
        self.primary.setAccessibleName(text.removesuffix(" →"))
        set_enabled(self.primary, reason)
        set_enabled(self.export_button, self._why_not_export())
        busy = "The measurement is running."
        explaining, grouping, corrupting = (
            busy if one.running else "" for one in self._measuring()
        )
        self.explaining.set_reason(self._why_not(EXPLAIN) or explaining)
        self.grouping.set_reason(self._why_not(GROUPS) or grouping)
        set_enabled(self.grouping.robustness.measure, self._why_not(ROBUSTNESS) or corrupting)
        explain(self._write_command, reason)
        explain(self._export_command, self._why_not_export())
        explain(self._groups_command, self._why_not(GROUPS) or grouping)
        explain(self._robust_command, self._why_not(ROBUSTNESS) or corrupting)
        explain(self._explain_command, self._why_not(EXPLAIN) or explaining)

    def on_event(self, event: object) -> None:
        """Follow the jobs of the page."""
        super().on_event(event)
        for one in (self.folders, self.answers, self.incidents):
            one.on_event(event)
        for strip in self._measuring():
            strip.on_event(event)


def _option(workspace: Workspace, step: str, name: str) -> Any:
    option = next(one for one in workspace.steps[step].form if one.name == name)
    return workspace.with_plugins(option)
