"""Reading of pipelines, references, and gates."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import UsageError
from studio.deployment.step import DEPLOY
from studio.pipelines.parser import read_pipeline
from studio.pipelines.references import look_up, substitute
from studio.rollouts.step import ROLLOUT

PIPELINE = """
[pipeline]
name = "digits"
[vars]
samples = 64
[[steps]]
id = "fp32"
step = "open"
model = "digits.onnx"
[[steps]]
step = "quantize"
model = "${fp32.variant}"
max-drop = 0.01
[[gates]]
name = "top-1"
value = "${quantize-2.metric.drop}"
max = 0.01
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "pipeline.toml"
    path.write_text(text)
    return path


def test_a_pipeline_is_read(tmp_path: Path) -> None:
    pipeline = read_pipeline(write(tmp_path, PIPELINE))
    assert [step.id for step in pipeline.steps] == ["fp32", "quantize-2"]
    assert pipeline.steps[1].options == {"model": "${fp32.variant}", "max_drop": 0.01}
    assert pipeline.gates[0].maximum == 0.01
    assert (pipeline.folder, pipeline.title) == (tmp_path, "digits")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("[pipeline]\n", "[other]\n"), "line 2, column 2: unknown key 'other'."),
        (('id = "fp32"', 'id = "quantize-2"'), "two steps are called 'quantize-2'"),
        (("max = 0.01", ""), "neither min nor max"),
        (("[[steps]]", "[[things]]"), "unknown key 'things'"),
        (("[vars]", "[vars"), "line 4, column 6: this is not TOML"),
    ],
)
def test_a_wrong_pipeline_is_one_sentence(
    tmp_path: Path, change: tuple[str, str], words: str
) -> None:
    path = write(tmp_path, PIPELINE.replace(*change))
    with pytest.raises(UsageError, match=r"pipeline\.toml") as raised:
        read_pipeline(path)
    assert words in raised.value.message


def test_a_pipeline_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        read_pipeline(tmp_path / "none.toml")


def test_references_keep_their_type_alone_and_become_text_inside() -> None:
    results = {"a": {"n": 3, "list": [{"x": 0.5}]}}
    assert substitute("${a.n}", results) == 3
    assert substitute("v${a.n}!", results) == "v3!"
    assert substitute(["${a.list.0.x}", 7], results) == [0.5, 7]
    assert look_up("a.list.0.x", results) == 0.5


@pytest.mark.parametrize("dotted", ["b", "a.m", "a.list.1", "a.n.deeper", "a.list.x"])
def test_a_reference_that_leads_nowhere_is_named(dotted: str) -> None:
    with pytest.raises(UsageError, match=dotted):
        look_up(dotted, {"a": {"n": 3, "list": [1]}})


def test_a_pipeline_may_go_back_with_a_reason(tmp_path: Path) -> None:
    steps = """
[[steps]]
step = "deploy"
model = "${fp32.variant}"
downgrade = "2 misreads the night shift"
[[steps]]
step = "rollout"
model = "${fp32.variant}"
target = ["roof"]
sign = "release-key"
downgrade = "2 misreads the night shift"
"""
    gates = PIPELINE.index("[[gates]]")
    pipeline = read_pipeline(write(tmp_path, PIPELINE[:gates] + steps + PIPELINE[gates:]))
    deploy, rollout = pipeline.steps[2:]
    known = {step.name: {option.name for option in step.form} for step in (DEPLOY, ROLLOUT)}
    assert set(deploy.options) <= known["deploy"]
    assert set(rollout.options) <= known["rollout"]


def test_dashes_and_underscores_of_one_option_are_refused(tmp_path: Path) -> None:
    both = 'model = "${fp32.variant}"\nkeep-float = "a"\nkeep_float = "b"'
    with pytest.raises(UsageError, match="are the same option; keep one"):
        read_pipeline(write(tmp_path, PIPELINE.replace('model = "${fp32.variant}"', both)))
