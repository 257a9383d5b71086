"""The workflow files for CI: where they go, and that they say what they should."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from studio.api import UsageError
from studio.pipelines.ci import WORKFLOWS, workflow, write_workflow


def test_they_are_written_at_the_top_of_the_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    pipeline = tmp_path / "models" / "pipeline.toml"
    pipeline.parent.mkdir()
    pipeline.touch()
    for kind, (_, place) in WORKFLOWS.items():
        path = write_workflow(kind, pipeline)
        assert path == tmp_path / place
        assert "studio run models/pipeline.toml --junit" in path.read_text()
        with pytest.raises(UsageError, match="exists already"):
            write_workflow(kind, pipeline)


def test_github_runs_the_pipeline_and_keeps_what_it_made_also_when_a_gate_is_missed() -> None:
    document = yaml.safe_load(workflow("github", "r.toml"))
    steps = document["jobs"]["pipeline"]["steps"]
    assert set(document[True]) == {"push", "pull_request", "workflow_dispatch"}
    assert document["permissions"] == {"contents": "read"}
    upload = next(s for s in steps if str(s.get("uses", "")).startswith("actions/upload"))
    assert upload["if"] == "always()"
    assert any("SOURCE_DATE_EPOCH" in str(s.get("run")) for s in steps)
    assert "@@" not in workflow("github", "r.toml")


def test_gitlab_reads_the_junit_file() -> None:
    job = yaml.safe_load(workflow("gitlab", "r.toml"))["edgewright"]
    assert job["artifacts"]["reports"]["junit"] in job["script"][0]
    assert job["artifacts"]["when"] == "always"


@pytest.mark.parametrize("name", ["a b.toml", "$(id).toml", "-x.toml", "a;b.toml", "a\nb.toml"])
def test_a_name_that_a_shell_would_take_for_more_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in a workflow"):
        workflow("github", name)
