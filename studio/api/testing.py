"""Conformance suites for the authors of plugins; the built-in plugins pass them too.

Each function raises AssertionError with a sentence that says what the contract wants. They need
no test framework::

    def test_it_conforms(tmp_path):
        check_format(MyFormat(), tmp_path, good=Path("model.xyz"))
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from studio.api.data import Array, Dataset, Feeds, Truth
from studio.api.errors import StudioError
from studio.api.graph import Graph, Model
from studio.api.inspection import Structural
from studio.api.intake import Level, Limits
from studio.api.options import Kind, Option, validate
from studio.api.ports import Backend, Connector, Format, Metric, Transform
from studio.api.progress import Silent
from studio.api.targets import Channel, TargetSpec

_ANSWER_S = 20.0

RUBBISH = (b"", b"\x00" * 64, b"not a model\n", bytes(range(256)) * 16)
"""Contents that no format may accept, and none may crash on."""


class Recorder(Silent):
    """A Progress that remembers how often it was told something."""

    def __init__(self) -> None:
        self.calls = 0

    def progress(self, done: float, total: float, text: str = "") -> None:
        """Count the call and check its numbers."""
        assert done >= 0, "progress must not be negative"
        assert not total or done <= total, f"progress of {done} is more than its total {total}"
        self.calls += 1


def check_options(options: Sequence[Option]) -> None:
    """Options must have names of their own, valid defaults and something to show."""
    names = [option.name for option in options]
    assert len(set(names)) == len(names), f"two options share a name: {names}"
    for option in options:
        assert option.name.isidentifier(), f"{option.name!r} is not a name"
        assert option.label, f"{option.name} has no title"
        assert option.kind is not Kind.CHOICE or option.choices, f"{option.name} has no choices"
        titles = option.choice_titles
        assert not titles or len(titles) == len(option.choices), f"{option.name} lacks titles"
    given = {option.name: "x" for option in options if option.required}
    validate([o for o in options if o.name not in given], {})


def check_format(format: Format, folder: Path, good: Path, limits: Limits | None = None) -> Model:
    """A format reads a good model and refuses rubbish in a sentence.

    Args:
        folder: An empty folder for files of the suite.
        good: A model of this format.

    Returns:
        The model, for checks of one's own.
    """
    limits = limits or Limits()
    _named(format.id, format.title)
    assert format.suffixes, "a format names the suffixes of its files"
    assert format.recognises(good), f"{good.name} is not recognised"
    intake = format.intake(good, limits)
    assert intake.files, "intake names the files of the model"
    assert intake.files[0].samefile(good), "the model itself is the first of its files"
    errors = [finding for finding in intake.findings if finding.level is Level.ERROR]
    assert not errors, f"a good model has errors: {errors}"
    model = format.read(good, Recorder())
    assert model.format == format.id
    check_graph(model.graph)
    if isinstance(format, Structural):
        early = [node.name for node in format.structure(good, Recorder()).graph.nodes]
        names = [node.name for node in model.graph.nodes]
        assert early == names, "the structure has the nodes of the model"
    check_refusals(format, folder, limits)
    return model


def check_refusals(format: Format, folder: Path, limits: Limits | None = None) -> None:
    """A format refuses rubbish in a sentence.

    Args:
        folder: An empty folder for files of the suite.
    """
    for number, content in enumerate(RUBBISH):
        bad = folder / f"rubbish-{number}{format.suffixes[0]}"
        bad.write_bytes(content)
        _refused(lambda bad=bad: _open(format, bad, limits or Limits()), f"rubbish {number}")
        if isinstance(format, Structural) and format.recognises(bad):
            with suppress(StudioError):  # it may tell less than the intake, and may not crash
                format.structure(bad, Recorder())


def check_graph(graph: Graph) -> None:
    """A graph's nodes have names of their own and come after what they need."""
    names = [node.name for node in graph.nodes]
    assert all(names), "each node has a name"
    assert len(set(names)) == len(names), "each node has a name of its own"
    made: set[str] = {output for node in graph.nodes for output in node.outputs if output}
    seen = {value.name for value in graph.inputs} | set(graph.initializers)
    for node in graph.nodes:
        late = [name for name in node.inputs if name in made and name not in seen]
        assert not late, f"{node.name} comes before {late[0]}, which it needs"
        seen.update(node.outputs)
        for block in node.blocks.values():
            check_graph(block)


def check_backend(backend: Backend, model: Path, feeds: Feeds) -> Mapping[str, Array]:
    """A backend loads a model, runs it twice alike, and refuses rubbish in a sentence.

    Returns:
        The outputs, for checks of one's own.
    """
    _named(backend.id, backend.title)
    check_options(backend.options)
    assert backend.version(), "a backend knows its version"
    assert backend.runner.is_file(), f"the runner {backend.runner} is not there"
    with closing(backend.load(model, validate(backend.options, {}))) as session:
        assert set(session.input_names) == set(feeds), f"the inputs are {session.input_names}"
        first, second = session.run(feeds), session.run(feeds)
        assert set(first) == set(session.output_names)
        for name, array in first.items():
            assert array.tobytes() == second[name].tobytes(), f"{name} differs between two runs"
        one = session.output_names[0]
        assert set(session.run(feeds, [one])) == {one}, "only the asked output is returned"
    missing = model.with_name("no such model.onnx")
    _refused(lambda: backend.load(missing, validate(backend.options, {})), "a missing model")
    return first


def check_transform(
    transform: Transform, source: Path, output: Path, data: Dataset | None = None
) -> Mapping[str, Any]:
    """A transform writes a new file, leaves its source alone and tells how far it is.

    Returns:
        The facts, for checks of one's own.
    """
    _named(transform.id, transform.title)
    check_options(transform.options)
    before = source.read_bytes()
    recorder = Recorder()
    options = validate(transform.options, {})
    made = transform.apply(source, output, options, data, recorder)
    assert made.path == output, "the result is where it was asked for"
    assert output.is_file(), "the result was written"
    assert made.precision, "the precision is named"
    assert source.read_bytes() == before, "the source was changed"
    assert recorder.calls, "a transform has progress points, or it cannot be cancelled"
    json.dumps(dict(made.facts))
    return made.facts


def check_metric(
    metric: Metric, outputs: Iterable[Mapping[str, Array]], labels: Sequence[Truth]
) -> float:
    """A metric scores matching outputs and refuses a wrong number of labels.

    Returns:
        The score, for checks of one's own.
    """
    _named(metric.id, metric.title)
    check_options(metric.options)
    outputs = list(outputs)
    options = validate(metric.options, {})
    score = metric.score(outputs, labels, options)
    assert isinstance(score, float), "a score is a float"
    each = getattr(metric, "each", None)
    if each is not None:
        figures = list(each(outputs, labels, options))
        assert len(figures) == len(labels), "each sample has a figure"
        assert all(figure <= 1 for figure in figures), "a figure is at most 1"
    _refused(lambda: metric.score(outputs, labels[:-1], options), "a label too few")
    return score


def check_connector(connector: Connector, target: TargetSpec, folder: Path) -> None:
    """A connector runs commands, moves files whole and ends cleanly.

    Args:
        target: A machine that it can reach.
        folder: An empty folder on this computer.
    """
    _named(connector.id, connector.title)
    check_options(connector.options)
    assert any(target.url.startswith(f"{scheme}:") for scheme in connector.schemes)
    with closing(connector.connect(target, Recorder())) as channel:
        _check_commands(channel)
        _check_files(channel, folder)


def _check_commands(channel: Channel) -> None:
    done = channel.run(["printf", "%s|", "a b", "$HOME", "*", "'\""])
    assert done.status == 0
    assert done.text == "a b|$HOME|*|'\"|", f"arguments were expanded: {done.text!r}"
    assert channel.run(["sh", "-c", "exit 7"]).status == 7
    assert channel.run(["cat"], stdin=b"\x00\xff").stdout == b"\x00\xff"
    pieces = (bytes([number]) * 100_000 for number in range(30))
    assert len(channel.run(["cat"], stdin=pieces).stdout) == 3_000_000, "pieces were lost"
    _check_conversation(channel)
    lines: list[str] = []
    channel.run(["printf", "one\\ntwo\\n"], on_line=lines.append)
    assert [line.rstrip("\n") for line in lines] == ["one", "two"]
    missing = channel.run(["no-such-program-anywhere"])
    assert missing.status != 0, "a missing program is a failure"


def _check_conversation(channel: Channel) -> None:
    """A piece of the input may be made of what the command has answered to the one before."""
    answered = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield b"one\n"
        yield b"two\n" if answered.wait(_ANSWER_S) else b"late\n"

    done = channel.run(["cat"], stdin=pieces(), on_line=lambda _: answered.set())
    assert done.text == "one\ntwo\n", "a piece was held back until the next one was there"


def _check_files(channel: Channel, folder: Path) -> None:
    place = channel.run(["mktemp", "-d"]).text.strip()
    try:
        content = bytes(range(256)) * 1000
        (folder / "out").write_bytes(content)
        channel.put(folder / "out", f"{place}/file with spaces")
        channel.get(f"{place}/file with spaces", folder / "back")
        assert (folder / "back").read_bytes() == content
        left = channel.run(["ls", "-A", place]).text.split("\n")
        assert [name for name in left if name] == ["file with spaces"], f"left behind: {left}"
        _refused(
            lambda: channel.put(folder / "out", f"{place}/no/such/folder/file"), "a missing folder"
        )
    finally:
        channel.run(["rm", "-rf", place])


def _open(format: Format, path: Path, limits: Limits) -> None:
    """What the studio does with a file: refuse by an exception or by a finding."""
    if not format.recognises(path):
        raise StudioError("not recognised")
    findings = format.intake(path, limits).findings
    if any(finding.level is Level.ERROR for finding in findings):
        raise StudioError("refused")
    format.read(path, Recorder())


def _refused(call: Any, what: str) -> None:
    try:
        call()
    except StudioError as error:
        sentence = error.message.strip()
    else:
        raise AssertionError(f"{what} was not refused")
    assert sentence, f"{what} was refused without a sentence"


def _named(identifier: str, title: str) -> None:
    assert identifier, "it has an id"
    assert title, "it has a title"
