"""What is wrong in a pipeline: one sentence with line, column, and the nearest known word."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.api import UsageError
from studio.pipelines.parser import parse_pipeline, read_pipeline

GOOD = """\
[pipeline]
name = "digits"

[vars]
target = "local"
rounds = 10

[matrix]
method = ["static-int8", "fp16"]

[[steps]]
id = "open"
step = "open"
model = "digits.onnx"

[[steps]]
id = "small"
step = "quantize"
model = "${open.variant}"
method = "${matrix.method}"

[[steps]]
id = "bundle"
step = "package"
model = "${small.variant}"

[[steps]]
id = "deploy"
step = "deploy"
bundle = "${bundle.bundle}"
target = "${vars.target}"

[[gates]]
name = "smaller"
kind = "size-ratio"
of = "small"
max = 0.6
"""


def wrong(text: str) -> UsageError:
    with pytest.raises(UsageError) as raised:
        parse_pipeline(text, "pipeline.toml", Path("/nowhere"))
    return raised.value


def test_the_pipeline_itself_is_right() -> None:
    assert parse_pipeline(GOOD, "pipeline.toml", Path("/nowhere")).name == "digits"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            'step = "quantize"',
            'step = "quantise"',
            "line 18, column 1: unknown step 'quantise'",
        ),
        (
            'method = "$',
            'methode = "$',
            "line 20, column 1: unknown key 'methode'; the nearest is 'method'.",
        ),
        ("[vars]\ntarget", "[variables]\ntarget", "line 4, column 2: unknown key 'variables'"),
        (
            'name = "digits"\n',
            'nme = "digits"\n',
            "line 2, column 1: unknown key 'nme'; the nearest is 'name'.",
        ),
        (
            "${open.variant}",
            "${opne.variant}",
            "line 19, column 1: unknown step with the id 'opne'; the nearest is 'open'.",
        ),
        (
            "${vars.target}",
            "${vars.taget}",
            "line 31, column 1: unknown variable 'taget'; the nearest is 'target'.",
        ),
        (
            "${matrix.method}",
            "${matrix.methods}",
            "line 20, column 1: unknown axis of the matrix 'methods'",
        ),
        ("${open.variant}", "${open}", "line 19, column 1: ${open} does not say which result"),
        (
            "${open.variant}",
            "${open variant}",
            "line 19, column 1: the reference ${open variant} is not spelled",
        ),
        ('id = "bundle"', 'id = "open"', "line 23, column 1: two steps are called 'open'."),
        (
            'model = "${open.variant}"\n',
            "",
            "line 16, column 3: the step 'quantize' needs the key 'model'.",
        ),
        ('id = "bundle"', 'id = "a b"', "line 23, column 1: 'a b' cannot be the id of a step"),
        (
            'target = "${vars.target}"',
            "target = 5",
            "line 31, column 1: 'target' is a text, not 5.",
        ),
        (
            'target = "${vars.target}"',
            "soak_s = -1",
            "line 31, column 1: soak time must be at least 0, not -1.",
        ),
        (
            'target = "${vars.target}"',
            'soak_s = "long"',
            "line 31, column 1: 'soak_s' is a number, not 'long'.",
        ),
        (
            'target = "${vars.target}"',
            "dry_run = 3",
            "line 31, column 1: dry run is yes or no, not 3.",
        ),
        ('target = "${vars.target}"', "expose = 'all'", "line 31, column 1: "),
        (
            'kind = "size-ratio"',
            'kind = "size-ration"',
            "line 35, column 1: there is no kind of gate 'size-ration'",
        ),
        (
            'of = "small"',
            'of = "smal"',
            "line 36, column 1: unknown step with the id 'smal'; the nearest is 'small'.",
        ),
        ("max = 0.6", 'max = "0.6"', "line 37, column 1: 'max' is a number, not '0.6'."),
        ("max = 0.6", "", "the gate 'smaller' has neither min nor max."),
        (
            "max = 0.6",
            "maximum = 0.6",
            "line 37, column 1: unknown key 'maximum'; the nearest is 'max'.",
        ),
        (
            '["static-int8", "fp16"]',
            "[]",
            "line 9, column 1: the axis 'method' is a list of values",
        ),
        (
            'id = "open"\n',
            'id = "open"\nafter = "deploy"\n',
            "a cycle: 'open' waits for 'deploy', which waits for",
        ),
        ('name = "digits"', 'name = "digits', "line 2, column 15: this is not TOML"),
    ],
)
def test_one_sentence_with_its_place(old: str, new: str, words: str) -> None:
    assert old in GOOD
    error = wrong(GOOD.replace(old, new, 1))
    assert error.message.startswith("pipeline.toml"), error.message
    assert words in error.message
    assert "\n" not in error.message


def test_a_cycle_of_one_step_and_of_three() -> None:
    text = '[pipeline]\nname = "r"\n'
    ring = {"a": "c", "b": "a", "c": "b"}
    for name, other in ring.items():
        text += f'[[steps]]\nid = "{name}"\nstep = "open"\nmodel = "${{{other}.source}}"\n'
    assert "'a' waits for 'c', which waits for 'b', which waits for 'a'." in wrong(text).message
    alone = '[pipeline]\nname = "r"\n[[steps]]\nid = "a"\nstep = "open"\nmodel = "${a.source}"\n'
    assert "line 3, column 3: a cycle: 'a' waits for 'a'." in wrong(alone).message


def test_a_place_in_a_text_of_several_lines_is_not_mistaken() -> None:
    text = GOOD.replace(
        'method = "${matrix.method}"', 'preset = """\nmetod = "x"\n[steps]\n"""\nmetod = "fp16"'
    )
    assert "line 24, column 1: unknown key 'metod'" in wrong(text).message


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    text = GOOD.replace('target = "local"', 'target = { env = "BOARD" }')
    with pytest.raises(UsageError) as raised:
        parse_pipeline(text, "r.toml", Path("/"), {}, {})
    assert raised.value.message == (
        "r.toml, line 5, column 1: the variable 'target' has no value: BOARD is not set in the "
        "environment."
    )
    pipeline = parse_pipeline(text, "r.toml", Path("/"), {}, {"BOARD": "jetson"})
    assert pipeline.variables["target"] == "jetson"
    assert pipeline.secret == {"target"}
    given = parse_pipeline(text, "r.toml", Path("/"), {"target": "pi", "rounds": "3"}, {})
    assert (given.variables["target"], given.variables["rounds"]) == ("pi", 3)
    with pytest.raises(UsageError, match=r"line 6, column 1: .* a whole number, not 'many'"):
        parse_pipeline(text, "r.toml", Path("/"), {"rounds": "many", "target": "pi"}, {})
    with pytest.raises(UsageError, match=r"[Uu]nknown variable 'traget'; the nearest is 'target'"):
        parse_pipeline(text, "r.toml", Path("/"), {"traget": "pi"}, {"BOARD": "x"})


@pytest.mark.parametrize(
    ("reference", "nearest"),
    [
        ("${bundle.bundel}", "the nearest is 'bundle'"),
        ("${bundle.version.number}", "with the key 'number'"),
        ("${bundle.findings.first.text}", "with the key 'first'"),
        ("${bundle.findings.0.txt}", "the nearest is 'text'"),
    ],
)
def test_a_key_that_no_result_has_is_refused(reference: str, nearest: str) -> None:
    error = wrong(GOOD.replace("${bundle.bundle}", reference))
    place = "pipeline.toml, line 30, column 1: "
    assert error.message.startswith(f"{place}unknown result of 'package'")
    assert nearest in error.message


def test_a_key_that_a_gate_asks_for_in_vain_is_refused() -> None:
    gate = '[[gates]]\nname = "g"\nvalue = "${bundle.sise}"\nmax = 1\n'
    message = wrong(GOOD + gate).message
    assert message.startswith("pipeline.toml, line 40, column 1: unknown result of 'package'")


def test_keys_that_may_be_there_are_taken() -> None:
    for reference in ("${bundle.findings.0.text}", "${bundle.variant}", "${bundle.image}"):
        text = GOOD.replace("${bundle.bundle}", reference)
        assert parse_pipeline(text, "pipeline.toml", Path("/nowhere"))


def test_a_missing_file_is_named_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.toml does not exist") as raised:
        read_pipeline(tmp_path / "gone.toml")
    assert raised.value.hint
