"""Descriptions of apps: what is written comes back, and what is wrong is one sentence."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from studio.runtime.apps.document import AppDocument
from studio.runtime.apps.graph import graph_of
from studio.runtime.apps.settings import AppError

APP: dict[str, Any] = {
    "name": "door",
    "variables": {"FILM": "film.avi"},
    "models": {"detector": {"file": "detector.onnx"}},
    "sources": {"camera": {"type": "video", "path": "${FILM}"}},
    "steps": {
        "people": {"type": "detect", "input": "camera", "model": "detector"},
        "tracks": {"type": "track", "input": "people"},
        "gate": {"type": "line", "input": "tracks", "start": [1, 2], "end": [3, 4]},
        "hourly": {"type": "count", "input": "gate", "every_s": 3600},
    },
    "sinks": {"log": {"type": "file", "input": ["gate", "hourly"], "path": "events.jsonl"}},
}


def changed(*path: str, to: Any) -> dict[str, Any]:
    """The app with another value at a place; None takes it out."""
    found = copy.deepcopy(APP)
    table = found
    for name in path[:-1]:
        table = table.setdefault(name, {})
    if to is None:
        del table[path[-1]]
    else:
        table[path[-1]] = to
    return found


def sentence_for(document: object) -> str:
    with pytest.raises(AppError) as caught:
        graph_of(AppDocument.from_json(document))
    text = str(caught.value)
    assert text.endswith((".", "?"))
    assert "\n" not in text
    assert len(text) < 400
    return text


def test_an_app_comes_back_as_it_was_written() -> None:
    document = AppDocument.from_json(APP)
    again = AppDocument.from_json(json.loads(json.dumps(document.to_json())))
    assert again == document
    assert [step.name for step in graph_of(again).steps] == ["people", "tracks", "gate", "hourly"]


def test_steps_may_be_written_in_any_order() -> None:
    steps = dict(reversed(list(APP["steps"].items())))
    graph = graph_of(AppDocument.from_json({**APP, "steps": steps}))
    assert [step.name for step in graph.steps] == ["people", "tracks", "gate", "hourly"]
    assert graph.steps[-1].sources == {"camera"}
    assert [one.kind for one in graph.steps[-1].inputs] == ["events"]


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        (("name",), "", "name must be a word"),
        (("name",), "a b", "name must be a word"),
        (("nmae",), "door", "no table 'nmae'"),
        (("sources",), {}, "no source"),
        (("sources", "camera", "type"), "vidoe", "Did you mean video?"),
        (("sources", "camera", "path"), 3, "path cannot be 3"),
        (("sources", "camera", "input"), "gate", "a source has no input"),
        (("sources", "camera", "paht"), "x", "no setting 'paht'. Did you mean path?"),
        (("sources", "camera", "path"), None, "needs the setting path"),
        (("sources", "camera", "path"), "${OTHER}", "the variable OTHER has no value"),
        (("steps", "gate", "type"), None, "needs a type"),
        (("steps", "gate", "input"), None, "needs an input"),
        (("steps", "gate", "input"), "people", "a line step takes tracks, and people gives"),
        (("steps", "gate", "input"), "door", "its input 'door' does not exist"),
        (("steps", "gate", "start"), ["a", 2], "start cannot be 'a'"),
        (("steps", "tracks", "input"), "tracks", "form a loop"),
        (("steps", "people", "input"), "gate", "form a loop"),
        (("steps", "camera"), {"type": "track", "input": "people"}, "Two parts of the app"),
        (("steps", "a b"), {"type": "track", "input": "people"}, "is no name"),
        (("sinks", "log", "type"), "kafka", "unknown type 'kafka'"),
        (("sinks", "log", "input"), ["gate", "nothing"], "its input 'nothing' does not exist"),
        (("preview",), {"fps": 1e9}, "preview: fps is from 0.1 to 30"),
        (("outbox",), {"most": -1}, "outbox: most is from 1"),
        (("variables",), {"FILM": 3}, "variables.FILM must be a text"),
        (("models", "detector"), "detector.onnx", "must be a table"),
        (("files",), "prices.csv", "files is a list"),
    ],
)
def test_what_is_wrong_is_one_sentence(path: tuple[str, ...], value: Any, words: str) -> None:
    assert words in sentence_for(changed(*path, to=value))


@pytest.mark.parametrize("document", [None, 3, [], "text", {"name": "a", "sources": 3}])
def test_what_is_no_app_is_one_sentence(document: object) -> None:
    sentence_for(document)


JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    some.sampled_from([("steps", "gate"), ("sources", "camera"), ("sinks",), ("preview",)]), JSON
)
def test_any_value_at_any_place_is_an_app_or_a_sentence(path: tuple[str, ...], value: Any) -> None:
    with contextlib.suppress(AppError):
        graph_of(AppDocument.from_json(changed(*path, to=value or {})))


def test_a_board_has_its_own_values_of_variables() -> None:
    document = AppDocument.from_json(APP)
    assert graph_of(document).sources[0].settings.path == "film.avi"
    assert graph_of(document, {"FILM": "other.avi"}).sources[0].settings.path == "other.avi"
    assert document.variable_names() == ("FILM",)


def test_inputs_of_two_kinds_are_refused() -> None:
    sources = {**APP["sources"], "sensor": {"type": "csv", "path": "a.csv", "rate_hz": 1.0}}
    steps = {"own": {"type": "python", "file": "a.py", "input": ["camera", "sensor"]}}
    document = {**APP, "sources": sources, "steps": steps, "sinks": {}}
    assert "of different kinds: pictures and signal" in sentence_for(document)


def test_a_step_sees_the_sources_before_it_alone() -> None:
    sources = {name: {"type": "video", "path": name} for name in ("a", "b", "c")}
    steps = {
        "one": {"type": "detect", "input": ["a", "b"], "model": "detector"},
        "two": {"type": "track", "input": "one"},
    }
    graph = graph_of(
        AppDocument.from_json({**APP, "sources": sources, "steps": steps, "sinks": {}})
    )
    assert [step.sources for step in graph.steps] == [{"a", "b"}, {"a", "b"}]


def test_what_a_target_needs_follows_from_the_parts() -> None:
    sinks = {"out": {"type": "mqtt", "input": "gate", "host": "broker"}}
    graph = graph_of(AppDocument.from_json({**APP, "sinks": sinks, "packages": {"scipy": ">=1"}}))
    assert set(graph.requirements) == {"scipy", "opencv-python-headless", "paho-mqtt"}


@pytest.mark.parametrize(("takes", "kind"), [("", "values"), ("events", "events")])
def test_an_own_step_chooses_what_it_takes(takes: str, kind: str) -> None:
    steps = {
        **APP["steps"],
        "own": {"type": "python", "file": "a.py", "input": "gate", "takes": takes},
    }
    graph = graph_of(AppDocument.from_json({**APP, "steps": steps}))
    assert [one.kind for step in graph.steps if step.name == "own" for one in step.inputs] == [kind]


def test_an_own_step_takes_only_what_its_input_gives() -> None:
    steps = {
        **APP["steps"],
        "own": {"type": "python", "file": "a.py", "input": "gate", "takes": "x"},
    }
    assert "a python step takes x, and gate gives" in sentence_for({**APP, "steps": steps})


OWN = {"type": "python", "input": "gate", "takes": "events", "file": "own.py"}


def test_variables_are_filled_in_tables_of_settings() -> None:
    own = {**OWN, "options": {"dsn": "postgres://${DB}", "list": "${FILM}"}}
    document = AppDocument.from_json(changed("steps", "own", to=own))
    step = next(one for one in graph_of(document, {"DB": "pw@host"}).steps if one.name == "own")
    assert step.settings.options == {"dsn": "postgres://pw@host", "list": "film.avi"}
    with pytest.raises(AppError, match="the variable DB has no value"):
        graph_of(document)


@pytest.mark.parametrize("group", ["steps", "sinks"])
@pytest.mark.parametrize(
    "file", ["${CODE}", "a/${CODE}.py", "/tmp/own.py", "../own.py", "a/../../own.py", "a\\b.py"]
)
def test_what_names_code_is_in_the_folder_and_has_no_variable(group: str, file: str) -> None:
    part = {"type": "python", "input": "gate", "file": file}
    words = sentence_for(changed(group, "own", to=part))
    assert words == "own: file is the name of a Python file in the folder of the app."
