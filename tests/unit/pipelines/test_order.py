"""The order of steps, the matrix, and the gates that come before what acts."""

from __future__ import annotations

from pathlib import Path

from studio.api import Permission
from studio.jobs import Step
from studio.pipelines.order import guards, without_targets
from studio.pipelines.parser import parse_pipeline
from studio.pipelines.pipeline import Pipeline
from studio.steps.catalogue import steps


def pipeline(*steps: str, gates: str = "", matrix: str = "") -> Pipeline:
    text = f'[pipeline]\nname = "r"\n{matrix}\n'
    text += "".join(f"[[steps]]\n{step}\n" for step in steps)
    return parse_pipeline(text + gates, "r.toml", Path("/"))


OPEN = 'id = "open"\nstep = "open"\nmodel = "m.onnx"'
SMALL = 'id = "small"\nstep = "quantize"\nmodel = "${open.variant}"\nmethod = "${matrix.method}"'
PACK = 'id = "pack"\nstep = "package"\nmodel = "${small.variant}"'
DEPLOY = 'id = "deploy"\nstep = "deploy"\nbundle = "${pack.bundle}"\ntarget = "${matrix.target}"'
PROFILE = 'id = "profile"\nstep = "profile"\nmodel = ["${open.variant}", "${small.*.variant}"]'
CALL = 'id = "call"\nstep = "call"\ntarget = "local"'
MATRIX = '[matrix]\nmethod = ["static-int8", "fp16"]\ntarget = ["local", "board"]'


def test_steps_come_after_what_they_refer_to() -> None:
    pack = 'id = "pack"\nstep = "package"\nmodel = "${open.variant}"'
    assert [step.id for step in pipeline(pack, OPEN).steps] == ["open", "pack"]


def test_a_matrix_makes_a_step_for_each_cell_that_it_depends_on() -> None:
    made = pipeline(OPEN, SMALL, PACK, DEPLOY, PROFILE, matrix=MATRIX)
    ids = [step.id for step in made.steps]
    assert sorted(ids) == sorted([
        "open", "small@static-int8", "small@fp16", "pack@static-int8", "pack@fp16",
        "deploy@static-int8@local", "deploy@static-int8@board", "deploy@fp16@local",
        "deploy@fp16@board", "profile",
    ])  # fmt: skip
    steps = {step.id: step for step in made.steps}
    assert steps["deploy@fp16@board"].options == {
        "bundle": "${pack@fp16.bundle}",
        "target": "board",
    }
    assert steps["profile"].options["model"] == ["${open.variant}", "${small.*.variant}"]
    assert made.cells["small"] == ("small@static-int8", "small@fp16")


def test_gates_are_judged_before_what_acts_also_when_they_are_measured_after_it() -> None:
    gates = (
        '[[gates]]\nname = "fast"\nkind = "latency-ratio"\nof = "profile"\nmax = 1.0\n'
        '[[gates]]\nname = "answers"\nvalue = "${call.failed}"\nmax = 0\n'
    )
    deploy = 'id = "deploy"\nstep = "deploy"\nmodel = "${open.variant}"'
    profile = 'id = "profile"\nstep = "profile"\nmodel = "${open.variant}"'
    made = pipeline(OPEN, deploy, CALL, profile, gates=gates)
    assert [step.id for step in made.steps] == ["open", "profile", "deploy", "call"]
    found = guards(made.steps, made.gates, made.cells)
    assert [gate.name for gate in found["deploy"]] == ["fast"]


def test_without_targets_what_needs_one_is_left_out_with_its_gates() -> None:
    gates = "".join(
        f'[[gates]]\nname = "{name}"\nvalue = "${{{value}}}"\nmax = 1\n'
        for name, value in (("local", "open.nodes"), ("called", "call.failed"))
    )
    board = 'id = "board"\nstep = "profile"\nmodel = "m.onnx"\ntarget = "roof"'
    waits = 'id = "waits"\nstep = "profile"\nmodel = "m.onnx"\nafter = ["deploy"]'
    deploy = 'id = "deploy"\nstep = "deploy"\nmodel = "${open.variant}"'
    profile = 'id = "profile"\nstep = "profile"\nmodel = ["${open.variant}"]'
    rest = without_targets(pipeline(OPEN, deploy, profile, board, waits, CALL, gates=gates))
    assert [step.id for step in rest.steps] == ["open", "profile"]
    assert [gate.name for gate in rest.gates] == ["local"]


def test_steps_on_targets_keep_their_order() -> None:
    first = 'id = "one"\nstep = "deploy"\nmodel = "${open.variant}"'
    back = 'id = "back"\nstep = "rollback"'
    ids = [step.id for step in pipeline(first, CALL, back, OPEN).steps]
    assert ids == ["open", "one", "call", "back"]


def test_a_gate_is_spread_over_the_cells_of_what_it_judges() -> None:
    gate = '[[gates]]\nname = "small"\nkind = "size-ratio"\nof = "small"\nmax = 0.6\n'
    made = pipeline(OPEN, SMALL, gates=gate, matrix=MATRIX)
    assert [(gate.name, gate.of) for gate in made.gates] == [
        ("small (static-int8)", "small@static-int8"),
        ("small (fp16)", "small@fp16"),
    ]


def test_what_reaches_out_is_never_taken_from_before() -> None:
    """A result is kept of steps alone that see files and models, and nothing else."""
    outside = {Permission.NETWORK, Permission.SECRETS, Permission.PROCESSES}
    kept = {name for name, step in steps().items() if step.is_cached}
    assert {name for name in kept if steps()[name].needs & outside} <= {"samples-get"}
    guarded = {name for name, step in steps().items() if step.waits_for_gates}
    assert guarded >= {"deploy", "rollout", "promote", "registry-push", "sign"}
    assert not guarded & {"rollback", "undeploy", "call", "profile", "package"}


def test_a_step_that_says_nothing_is_guarded() -> None:
    assert Step("new", "New", "A step without further words.", (), "a:b").waits_for_gates
