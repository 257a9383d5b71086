"""The result of a test of an app on its page."""

from __future__ import annotations

from studio.features.apps.pages.app.page import TEST_VIEW, AppPage
from studio.jobs import End
from studio.workspace import JobOutcome
from tests.features.apps.pages.sample_app import event, report, run
from tests.gui.page_rig import Rig, texts, visible_texts


def test_a_test_shows_its_verdict_and_the_events_that_differ(rig: Rig, page: AppPage) -> None:
    page.test_button.click()
    assert rig.shell.jobs[-1].step == "app-test"
    assert page.stack.currentIndex() == TEST_VIEW
    report(rig, page, event(1))
    assert "50 frames replayed, 1 event." in visible_texts(page.results)
    missing = {"kind": "crossing", "at_s": 4.25, "direction": "out"}
    result = run(
        event(1),
        event(9),
        expected=2,
        matched=1,
        f1=0.5,
        missing=(missing,),
        extra=(event(9),),
        passed=False,
    )
    rig.finish(page, JobOutcome(End.SUCCEEDED, result=result))
    view = page.results
    shown = visible_texts(view)
    assert view.pill.state == ("Failed", "bad")
    assert "1 of 2 expected events found, 1 extra event" in shown
    assert "0.500" in shown
    assert texts(view.missing) == [["4.25 s", "—", "crossing", "—", "direction out"]]
    assert texts(view.extra) == [["9.00 s", "gate", "crossing", "cross", "direction in, track 9"]]
    page.test()
    rig.finish(
        page,
        JobOutcome(
            End.SUCCEEDED,
            result=run(expected=2, matched=2, f1=1.0, missing=(), extra=(), passed=True),
        ),
    )
    assert view.pill.state == ("Passed", "good")
    assert not view.missing.isVisible()


def test_an_app_without_a_test_says_what_to_add(rig: Rig, page: AppPage) -> None:
    page.test()
    rig.finish(
        page, JobOutcome(End.FAILED, message="The app has no test.", hint="Add [test] to app.toml.")
    )
    shown = visible_texts(page.results)
    assert "The app has no test." in shown
    assert "Add [test] to app.toml." in shown


def test_a_test_that_is_stopped_has_no_verdict(rig: Rig, page: AppPage) -> None:
    page.test()
    page.stop()
    rig.finish(page, JobOutcome(End.CANCELLED))
    assert "Test stopped" in visible_texts(page.results)
