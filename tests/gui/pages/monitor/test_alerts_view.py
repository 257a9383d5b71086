"""The Alerts view: rules and channels made in the window are those of the command's file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.forms.editors import ChoiceEditor, NumberEditor, TextEditor
from studio.gui.pages.monitor.alerts_view import AlertsView
from studio.gui.pages.monitor.page import ALERTS_VIEW, FLEET_VIEW, MonitorPage
from studio.jobs import End
from studio.monitoring.alerts.rules import read_alerts
from studio.workspace import JobOutcome
from studio.workspace.alert_file import CHANNELS, RULES
from tests.gui.page_rig import Rig, opened, visible_texts
from tests.unit.monitoring.alerts.test_text import TEXT


@pytest.fixture
def rig(qtbot: QtBot, studio_home: Path, tmp_path: Path) -> Iterator[Rig]:
    with opened(studio_home, tmp_path) as made:
        made.registry.add_release("local", None, "ab" * 32, "serving", {"version": 1})
        yield made


def shown(rig: Rig) -> tuple[MonitorPage, AlertsView]:
    page = rig.page(MonitorPage)
    page.show_view(ALERTS_VIEW)
    return page, page.alerting


def enter(view: AlertsView, **values: object) -> None:
    assert view.form.form is not None
    view.form.form.set_values(values)
    view.form.form.changed.emit()


def test_a_rule_and_a_channel_are_made_and_the_command_reads_them(rig: Rig) -> None:
    page, view = shown(rig)
    assert page.primary is not None
    assert not page.primary.isVisible()
    view.add_rule.click()
    assert not view.form.save.isEnabled()
    enter(view, name="slow", metric="latency_ms.p99", limit=40, for_s=60, targets=["local"])
    view.form.save.click()
    view.add_channel.click()
    view.form.kind.setCurrentIndex(view.form.kind.findData("webhook"))
    enter(view, url="https://example.org/secret-path", levels=["critical"])
    view.form.secret.setText("s3cret")
    view.form.save.click()
    assert rig.shell.failed == []
    path = rig.workspace.alerts.path
    plan = read_alerts(path, ["mqtt"])
    (rule,), (channel,) = plan.rules, plan.channels
    assert (rule.name, rule.metric, rule.above, rule.for_s) == ("slow", "latency_ms.p99", 40, 60)
    assert rule.targets == ("local",)
    assert (channel.kind, channel.levels) == ("webhook", ("critical",))
    text = path.read_text()
    assert "s3cret" not in text, "a secret never stands in the file"
    assert 'signing_secret = "alert-webhook"' in text
    where = view.channels.item(0, 2)
    assert where is not None
    assert where.text() == "https://example.org", "its path is a secret, too"
    for start in (0, FLEET_VIEW):
        page.show_view(start)
        assert rig.shell.jobs[-1].options["alerts"] == str(path)


def test_every_field_says_what_it_is_and_what_an_empty_one_means(rig: Rig) -> None:
    _, view = shown(rig)
    for kind in ("", *rig.workspace.alerts.kinds):
        if kind:
            view.add_channel.click()
            view.form.kind.setCurrentIndex(view.form.kind.findData(kind))
        else:
            view.add_rule.click()
        assert view.form.form is not None
        for name, field in view.form.form.fields.items():
            assert field.toolTip(), f"{kind} {name}"
            if isinstance(field.editor, TextEditor) and not field.editor.value():
                assert field.editor.line.placeholderText(), f"{kind} {name}"
        if not kind:
            targets, lasting = (view.form.form.fields[one].editor for one in ("targets", "for_s"))
            assert isinstance(targets, TextEditor)
            assert targets.line.placeholderText() == "all"
            assert isinstance(lasting, NumberEditor)
            assert lasting.spin.text() == "at once"
            assert lasting.value() == 0
        if kind == "email":
            assert isinstance(view.form.form.fields["tls"].editor, ChoiceEditor)
            assert view.form.form.fields["tls"].editor.combo.currentText() == "automatic"
        view.form.cancel.click()


def test_what_is_wrong_is_said_in_words_before_it_is_saved(rig: Rig) -> None:
    _, view = shown(rig)
    view.add_channel.click()
    view.form.kind.setCurrentIndex(view.form.kind.findData("webhook"))
    enter(view, url="ftp://example.org")
    assert view.form.complaint.text().startswith("The webhook channel needs a url that begins")
    assert view.form.save.toolTip() == view.form.complaint.text()
    view.form.save.click()
    assert not rig.workspace.alerts.path.exists()
    view.form.cancel.click()
    view.add_rule.click()
    enter(view, name="a", limit=1)
    view.form.save.click()
    view.add_rule.click()
    enter(view, name="a", limit=2)
    assert view.form.complaint.text() == "Two rules are named 'a'."


def test_a_file_of_others_keeps_its_comments(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "plant.toml"
    path.write_text(TEXT)
    page, view = shown(rig)
    view.use(path)
    assert view.rules.rowCount() == 2
    when = view.rules.item(0, 1)
    assert when is not None
    assert when.text() == "p99 latency (ms) above 40"
    assert str(path) in visible_texts(page)
    view.rules.setCurrentCell(0, 0)
    view.edit_rule.click()
    view.form.save.click()
    assert path.read_text() == TEXT, "nothing was changed, so nothing is written otherwise"
    view.edit_rule.click()
    enter(view, limit=55)
    view.form.save.click()
    assert path.read_text() == TEXT.replace("above = 40 ", "above = 55 ")
    view.channels.setCurrentCell(0, 0)
    view.remove_channel.click()
    assert "mail.example.org" not in path.read_text()
    assert "at the press" in path.read_text()


def test_a_broken_file_is_said_and_nothing_of_it_is_touched(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    path.write_text("[[rules]]\nmetrik = 3\n")
    _, view = shown(rig)
    view.use(path)
    assert "no key 'metrik'" in view.fault.text()
    assert "metric" in view.fault.text()
    assert view.add_rule.toolTip() == "Fix the alert file first."


@pytest.mark.parametrize("kind", ["desktop", "email", "webhook", "mqtt"])
def test_each_kind_of_channel_has_its_form(rig: Rig, kind: str) -> None:
    _, view = shown(rig)
    view.add_channel.click()
    place = view.form.kind.findData(kind)
    assert place >= 0
    view.form.kind.setCurrentIndex(place)
    needed = {"email": {"host": "m", "to": ["a@b"]}, "webhook": {"url": "http://x"}}
    enter(view, **needed.get(kind, {"host": "broker"} if kind == "mqtt" else {}))
    assert view.form.complaint.text() == ""
    view.form.save.click()
    (spec,) = read_alerts(rig.workspace.alerts.path, ["mqtt"]).channels
    assert spec.kind == kind
    view.edit_channel.click()
    before = rig.workspace.alerts.path.read_text()
    view.form.save.click()
    assert rig.workspace.alerts.path.read_text() == before


def test_a_test_is_a_job_and_says_how_it_went(rig: Rig) -> None:
    rig.workspace.alerts.put(CHANNELS, 0, {"kind": "webhook", "url": "http://x", "name": "hook"})
    page, view = shown(rig)
    view.test.click()
    job = rig.shell.jobs[-1]
    assert job.step == "monitor-test"
    assert job.options["channel"] == "hook"
    assert view.test.toolTip() == "Sending a test…"
    text = "The webhook at http://x cannot be reached."
    rig.message(page, "tested", channel="hook", sent=False, text=text)
    rig.finish(page, JobOutcome(End.FAILED, message=text))
    (row,) = view.tested.rows
    assert (row.state, row.name, row.text) == ("not sent", "hook", text)
    assert view.test.isEnabled()


def test_the_fleet_hears_its_own_job(rig: Rig) -> None:
    page = rig.page(MonitorPage)
    page.show_view(FLEET_VIEW)
    assert rig.shell.jobs[-1].step == "monitor-fleet"
    rig.message(page, "samples", samples=[{"target": "roof", "health": "healthy", "alerts": []}])
    page.fleet.show_now()
    assert page.fleet.shown.text() == "1 of 1 endpoint"
    job = rig.shell.jobs[-1]
    page.show_view(ALERTS_VIEW)
    assert job.cancelled, "a fleet that is not shown is not polled"


def test_what_is_silent_is_listed_with_its_end(rig: Rig) -> None:
    rig.workspace.inbox.holds.silence("local", "*", 600, "at the press")
    _, view = shown(rig)
    (row,) = view.held.rows
    assert row.text.startswith("all alerts of local are silent until")
    rig.workspace.alerts.put(RULES, 0, {"metric": "memory_mb", "above": 9})
    view.refresh()
    assert view.rules.rowCount() == 1
