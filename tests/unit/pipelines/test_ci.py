"""The workflow files for CI: where they go, and that they say what they should."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
import yaml

from studio.api import UsageError
from studio.pipelines.ci import WORKFLOWS, requirements, workflow, write_workflow

WHEEL = "edgewright_headless-0.1.0-py3-none-any.whl"
DEFAULT_BRANCH = "refs/heads/{0}', github.event.repository.default_branch"


@pytest.fixture(name="repository")
def _repository(tmp_path: Path) -> Path:
    """A repository with a pipeline and the wheel of the studio."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "pipeline.toml").touch()
    (tmp_path / WHEEL).write_bytes(b"wheel")
    return tmp_path


@pytest.mark.parametrize("kind", WORKFLOWS)
def test_they_are_written_at_the_top_of_the_repository(kind: str, repository: Path) -> None:
    pipeline, wheel = repository / "models" / "pipeline.toml", repository / WHEEL
    path, packages = write_workflow(kind, pipeline, wheel)
    assert path == repository / WORKFLOWS[kind][1]
    assert "studio run models/pipeline.toml --junit" in path.read_text()
    assert f"--require-hashes --only-binary ':all:' -r {packages.name}" in path.read_text()
    assert "@@" not in path.read_text()
    with pytest.raises(UsageError, match="exists already"):
        write_workflow(kind, pipeline, wheel)


def test_each_package_is_pinned_by_hash_and_none_is_of_the_window(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = requirements(repository / WHEEL, repository)
    digest = hashlib.sha256(b"wheel").hexdigest()
    assert text.startswith(f"./{WHEEL} --hash=sha256:{digest}\n")
    names = [line for line in text.splitlines() if line and line[0] not in " #"]
    assert [n for n in names if "==" not in n and "--hash" not in n] == []
    assert [n for n in names if n.lower().startswith(("pyside", "shiboken"))] == []
    elsewhere = tmp_path_factory.mktemp("elsewhere") / WHEEL
    elsewhere.write_bytes(b"wheel")
    assert requirements(elsewhere, repository).startswith("edgewright-headless==0.1.0 --hash=")


def test_the_packages_are_those_of_the_lock() -> None:
    root = Path(__file__).parents[3]
    locked = (root / "requirements.lock").read_text()
    packages = (root / "resources" / "templates" / "ci" / "requirements.txt").read_text()
    pins = re.findall(r"^[\w.-]+==[\w.]+", packages, re.M)
    assert [pin for pin in pins if f"\n{pin}" not in f"\n{locked}"] == []
    assert len(pins) > 20


@pytest.mark.parametrize("name", [None, "edgewright-0.1.0-py3-none-any.whl", "missing.whl"])
def test_another_wheel_is_refused(name: str | None, repository: Path) -> None:
    if name and name.startswith("edgewright"):
        (repository / name).touch()
    with pytest.raises(UsageError, match="wheel") as refused:
        requirements(repository / name if name else None, repository)
    assert "--wheel edgewright_headless-" in refused.value.hint


def test_github_checks_pull_requests_by_the_gates_of_the_base_branch() -> None:
    document = yaml.safe_load(workflow("github", "m/r.toml"))
    assert set(document[True]) == {"push", "pull_request", "workflow_dispatch"}
    assert document["permissions"] == {"contents": "read"}
    check, deploy = document["jobs"]["check"], document["jobs"]["deploy"]
    assert check["if"] == "github.event_name == 'pull_request'"
    assert "event_name != 'pull_request'" in deploy["if"]
    assert DEFAULT_BRANCH in deploy["if"]
    runs = [step["run"] for step in check["steps"] if "studio run" in step.get("run", "")]
    assert runs[0] == "studio run m/r.toml --check"
    assert 'git show "HEAD^1:m/r.toml" > m/r.base.toml' in runs[1]
    assert [r for r in runs if "--check" not in r and "m/r.base.toml --no-deploy" not in r] == []
    for job in (check, deploy):
        used = [step["uses"] for step in job["steps"] if "uses" in step]
        assert [u for u in used if not re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40}", u)] == []
        upload = next(s for s in job["steps"] if "upload" in s.get("uses", ""))
        assert upload["if"] == "always()"
        assert [s for s in job["steps"] if "cache" in s.get("with", {})] == []


def test_gitlab_checks_merge_requests_by_the_gates_of_the_target_branch() -> None:
    document = yaml.safe_load(workflow("gitlab", "r.toml"))
    common = document[".edgewright"]
    check, deploy = document["edgewright-check"], document["edgewright-deploy"]
    assert common["artifacts"]["reports"]["junit"] in deploy["script"][0]
    assert common["artifacts"]["when"] == "always"
    assert all(isinstance(line, str) for line in (*common["before_script"], *check["script"]))
    assert check["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
    assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in deploy["rules"][0]["if"]
    assert "studio run r.base.toml --no-deploy" in check["script"][-1]


@pytest.mark.parametrize("name", ["a b.toml", "$(id).toml", "-x.toml", "a;b.toml", "a\nb.toml"])
def test_a_name_that_a_shell_would_take_for_more_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="cannot stand in a workflow"):
        workflow("github", name)
