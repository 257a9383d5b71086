"""Which move of an alias is a deploy, and which a rollback; what a watcher remembers."""

from __future__ import annotations

import pytest

from studio.api import TargetError, UsageError
from studio.deployment.results import MachineRelease
from studio.external_registries.alias_deploy import SEEN, AliasWatcher, is_back
from studio.external_registries.reference import Reference
from studio.external_registries.results import FollowResult
from studio.jobs import End, JobOutcome


def row(version: int, state: str, name: str = "net", *, kept: bool = True) -> MachineRelease:
    return MachineRelease(version, f"r{version}", name, state, "", "", "", kept)


@pytest.mark.parametrize(
    ("rows", "now", "release", "back"),
    [
        ([row(2, "serving"), row(1, "replaced")], "r2", "r1", True),
        ([row(2, "stopped"), row(1, "replaced")], "r2", "r1", True),
        ([row(1, "serving"), row(2, "rolled back"), row(1, "replaced")], "r1", "r2", False),
        ([row(2, "serving"), row(1, "replaced")], "r2", "r3", False),
        ([row(2, "serving"), row(1, "failed")], "r2", "r1", False),
        ([row(2, "serving"), row(1, "replaced", "other")], "r2", "r1", False),
        ([row(1, "removed")], "", "r1", False),
        ([], "", "r1", False),
    ],
)
def test_back_is_what_was_served_before(
    rows: list[MachineRelease], now: str, release: str, back: bool
) -> None:
    assert is_back(rows, release, now) is back


def test_what_a_target_does_not_keep_is_said() -> None:
    rows = [row(3, "serving"), row(1, "replaced", kept=False)]
    with pytest.raises(TargetError, match="Version 1 of net was served there before"):
        is_back(rows, "r1", now="r3")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("net", Reference("net")),
        ("net/3", Reference("net", version="3")),
        ("net@champion", Reference("net", alias="champion")),
        ("a@b@c", Reference("a@b", alias="c")),
    ],
)
def test_references(text: str, wanted: Reference) -> None:
    assert Reference.of(text) == wanted


@pytest.mark.parametrize("text", ["", "@champion", "net@", "net/", "/3"])
def test_references_that_name_nothing(text: str) -> None:
    with pytest.raises(UsageError, match="names no version"):
        Reference.of(text)


def look(watch: AliasWatcher, version: str, outcome: JobOutcome) -> str:
    if version:
        watch.on_message(SEEN, {"version": version})
    return watch.judge(outcome)


def done(action: str, version: str = "1") -> JobOutcome:
    result = FollowResult(
        registry="http://r",
        name="net",
        version=version,
        aliases=(),
        run="",
        target="lab",
        action=action,
        release="r",
        seconds=1.0,
    )
    return JobOutcome(End.SUCCEEDED, "Deploy", result)


def failed(sentence: str) -> JobOutcome:
    return JobOutcome(End.FAILED, "Deploy", message=sentence)


def test_a_watch_counts_moves_and_is_silent_between_them() -> None:
    watch = AliasWatcher()
    assert look(watch, "1", done("deploy")) == "lab serves version 1 of net after 1.0 s."
    assert watch.acted_on == "1"
    assert look(watch, "", done("waiting")) == ""
    assert look(watch, "2", done("deploy", "2")).startswith("lab serves version 2")
    assert look(watch, "1", done("rollback")).startswith("lab was rolled back to version 1")
    assert [move.action for move in watch.moves] == ["deploy", "deploy", "rollback"]


def test_a_release_that_fails_is_told_once_and_not_tried_again() -> None:
    watch = AliasWatcher()
    told = look(watch, "2", failed("It answers too slowly."))
    assert "It answers too slowly." in told
    assert "Version 2 is not tried again before the alias moves." in told
    assert watch.acted_on == "2"
    assert watch.moves == []


def test_a_registry_that_is_away_is_told_once_and_asked_again() -> None:
    watch = AliasWatcher()
    assert "is away" in look(watch, "", failed("The registry is away."))
    assert look(watch, "", failed("The registry is away.")) == ""
    assert watch.acted_on == ""
    assert look(watch, "", done("waiting")) == ""
    assert "is away" in look(watch, "", failed("The registry is away."))
