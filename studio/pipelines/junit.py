"""A run as JUnit XML for CI: a test case for each step and each gate."""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.etree import ElementTree

from studio.documents.plain import one_line
from studio.pipelines.run_report import PipelineReport
from studio.registry.run_records import GateReport, StepReport

_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot contain, not even escaped."""


def junit(report: PipelineReport, started: str) -> str:
    """Return the document of a run.

    Args:
        started: ISO time of the start.
    """
    root = ElementTree.Element("testsuites", name=_clean(report.title))
    steps = [_step(step) for step in report.steps]
    gates = [_gate(gate) for gate in report.gates]
    for name, cases in (("steps", steps), ("gates", gates)):
        seconds = sum(float(case.get("time", "0")) for case in cases)
        counts = {
            "tests": len(cases),
            "failures": sum(case.find("failure") is not None for case in cases),
            "errors": sum(case.find("error") is not None for case in cases),
            "skipped": sum(case.find("skipped") is not None for case in cases),
        }
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            {
                "name": _clean(f"{report.name}: {name}"),
                **{key: str(value) for key, value in counts.items()},
                "time": f"{seconds:.3f}",
                # JUnit's schema has times without a zone.
                "timestamp": started[:19],
            },
        )
        if name == "steps" and report.artefacts:
            _properties(suite, report.artefacts)
        suite.extend(cases)
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _properties(suite: ElementTree.Element, artefacts: Mapping[str, str]) -> None:
    element = ElementTree.SubElement(suite, "properties")
    for name, digest in artefacts.items():
        ElementTree.SubElement(element, "property", name=_clean(name), value=digest)


def _step(step: StepReport) -> ElementTree.Element:
    case = _case("step", step.id, step.seconds)
    if step.state == "failed":
        element = ElementTree.SubElement(case, "error", message=_clean(step.message))
        element.text = _clean(step.hint)
    elif step.state == "not run":
        ElementTree.SubElement(case, "skipped", message=_clean(step.message or "not run"))
    elif step.state == "unchanged":
        ElementTree.SubElement(case, "system-out").text = f"unchanged since {step.kept_from}"
    return case


def _gate(gate: GateReport) -> ElementTree.Element:
    case = _case("gate", gate.name, 0.0)
    value = "no value" if gate.value is None else f"{gate.value:.6g}"
    text = f"{value}, {gate.limit}" + (f" ({gate.text})" if gate.text else "")
    if gate.passed:
        ElementTree.SubElement(case, "system-out").text = _clean(text)
    else:
        ElementTree.SubElement(case, "failure", message=_clean(text), type=gate.kind)
    return case


def _case(kind: str, name: str, seconds: float) -> ElementTree.Element:
    return ElementTree.Element(
        "testcase", {"classname": kind, "name": _clean(name), "time": f"{seconds:.3f}"}
    )


def _clean(text: str) -> str:
    return _ILLEGAL.sub("?", one_line(text))
