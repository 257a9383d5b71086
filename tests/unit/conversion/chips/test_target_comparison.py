"""Three sides of the same samples: this computer, a chip's emulator, and a target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy
import pytest

from studio.api import Sample, TargetError, TargetSpec
from studio.conversion.chips import results
from studio.conversion.chips.target_comparison import TargetComparison
from studio.conversion.chips.task_score import evaluator_for
from studio.conversion.chips.texts import checked
from studio.evaluation.on_target import RuntimeInForce
from studio.plugin_host import PluginHost

SURE, OTHER = numpy.eye(3, dtype=numpy.float32)[:1], numpy.eye(3, dtype=numpy.float32)[1:2]
SAMPLES = [Sample({"x": numpy.full((1, 1), at, numpy.float32)}, 0, f"s{at}") for at in range(3)]


class Answers:
    """A model on a target whose answers are given; one that is None ends the connection."""

    input_names, output_names = ("x",), ("y",)

    about = RuntimeInForce("onnxruntime", "1.0")
    target = TargetSpec("orin", "ssh://orin")

    def __init__(self, *found: Any) -> None:
        self._found: Iterator[Any] = iter(found)
        self.closed = False

    def session(self) -> Answers:
        return self

    def begin(self, _samples: object, _like: object) -> Answers:
        return self

    def run(self, _feeds: object, _outputs: Sequence[str] | None = None) -> Mapping[str, Any]:
        found = next(self._found)
        if found is None:
            raise TargetError("The connection is lost.")
        return {"y": found}

    def close(self) -> None:
        self.closed = True


def compared(answers: Answers, *chip: Any) -> TargetComparison:
    evaluator = evaluator_for(PluginHost.discover(), "auto", SAMPLES, None)
    found = TargetComparison(answers, SAMPLES, answers, {}, evaluator)  # type: ignore[arg-type]
    for outputs in chip:
        found.add({"y": outputs}, {"y": SURE})
    return found


def test_the_sample_that_only_the_target_loses_comes_first() -> None:
    found = compared(Answers(SURE, OTHER, SURE), SURE, SURE, 0.9 * SURE)
    numbers = found.numbers()
    assert numbers is not None
    assert (numbers.name, numbers.runtime, numbers.samples) == ("orin", "onnxruntime", 3)
    assert (numbers.max_error, numbers.chip_error) == (1.0, 1.0)
    assert numbers.argmax_equal == pytest.approx(2 / 3)
    assert numbers.metric is not None
    assert (numbers.metric.lost, numbers.metric.lost_samples) == (1, ("s1",))
    assert [one.name for one in numbers.worst] == ["s1", "s2", "s0"]
    first = numbers.worst[0]
    assert (first.chip, first.target, first.classes) == (0.0, 1.0, (0, 0, 1))
    assert found.worst is SAMPLES[1].feeds


def test_a_connection_that_is_lost_leaves_what_was_compared() -> None:
    found = compared(Answers(SURE, None), SURE, SURE, SURE)
    numbers = found.numbers()
    assert numbers is not None
    assert numbers.samples == 1
    assert found.problem == "Not compared further with orin: The connection is lost."


def test_a_target_that_never_answers_has_no_numbers() -> None:
    found = compared(Answers(None), SURE)
    assert found.numbers() is None


def test_the_command_names_the_classes_of_all_sides() -> None:
    numbers = compared(Answers(SURE, OTHER, SURE), SURE, SURE, SURE).numbers()
    result = results.ChipResult(
        chip="c",
        title="Chip",
        verdict="runs",
        how="emulated",
        numbers=results.ChipNumbers("here", 3, 0.0, target=numbers),
    )
    lines = checked(result)
    errors = "error 0.0e+00 chip, 1.0e+00 target"
    classes = "class 0 here, 0 on the chip, 1 on the target"
    assert f"sample    s1: {errors}, {classes}" in lines
    assert any(line.startswith("target    orin (onnxruntime 1.0): ") for line in lines)
