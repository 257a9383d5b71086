"""The document of a pipeline's outcome, in the keys of ``--json``."""

from __future__ import annotations

from studio.pipelines.run_report import PipelineReport
from studio.registry.run_records import StepReport


def test_the_id_of_a_step_is_its_name_in_the_document() -> None:
    report = PipelineReport("digits", "Digits", (StepReport("first", "open"),), (), 0)
    document = report.to_json()
    assert document["steps"] == [
        {
            "step": "open",
            "state": "not run",
            "seconds": 0.0,
            "result": {},
            "message": "",
            "hint": "",
            "key": "",
            "kept_from": "",
            "name": "first",
        }
    ]
    assert list(document)[:5] == ["name", "title", "steps", "gates", "exit_code"]
