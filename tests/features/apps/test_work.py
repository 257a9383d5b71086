"""Apps on the desk: files, checks, runs and tests on recordings."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from studio.api import InvalidData, Refused, StudioError, UsageError
from studio.features.apps import is_app, texts
from studio.features.apps.delivery import keep_outputs
from studio.features.apps.files import AppFiles
from studio.features.apps.scaffold import create, created
from studio.features.apps.step import AppCheckOptions, AppNewOptions, AppRunOptions, AppTestOptions
from studio.features.apps.work import check, run, saved, variables_of
from studio.features.apps.work import test as replay_test
from studio.registry import Registry
from tests.rigs.apps import app_bundle, film, make_app
from tests.rigs.bundles import QuietJob

OWN = "[steps.own]\ntype = 'python'\ninput = 'gate'\ntakes = 'events'\nfile = 'own.py'"


@pytest.fixture
def app(tmp_path: Path) -> Path:
    make_app(tmp_path / "lanes")
    return tmp_path / "lanes"


@pytest.fixture
def job(tmp_path: Path) -> QuietJob:
    return QuietJob(tmp_path / "job")


def edited(app: Path, old: str, new: str) -> Path:
    text = (app / "app.toml").read_text()
    assert old in text
    (app / "app.toml").write_text(text.replace(old, new))
    return app


def test_a_folder_with_an_app_is_known(app: Path) -> None:
    assert is_app(app)
    assert is_app(app / "app.toml")
    assert not is_app(app / "detector")
    assert not is_app(app / "film.avi")


def test_a_check_lists_the_parts_and_what_a_target_needs(app: Path, job: QuietJob) -> None:
    found = check(AppCheckOptions(app), job)
    assert [part.name for part in found.parts] == ["camera", "boxes", "tracks", "gate", "log"]
    assert [part.gives for part in found.parts[:4]] == ["pictures", "objects", "tracks", "values"]
    assert found.models[0].task == "detection"
    assert found.requirements == {"opencv-python-headless": ">=4.8"}
    assert found.warnings == ()
    assert "Bright boxes can run." in texts.checked(found)


def test_what_may_not_be_meant_is_a_warning(app: Path, job: QuietJob) -> None:
    edited(
        app, "[models.detector]", "[models.spare]\nfile = 'detector/model.onnx'\n[models.detector]"
    )
    assert check(AppCheckOptions(app), job).warnings == ("The model spare is not used.",)


def test_a_run_has_events_times_and_states(app: Path, job: QuietJob) -> None:
    result = run(AppRunOptions(app), job)
    assert result.frames == 200
    assert result.count == len(result.events) >= 10
    assert result.sources["camera"]["state"] == "ended"
    assert set(result.steps) == {"boxes", "tracks", "gate"}
    reports = [values for name, values in job.events if name == "app"]
    assert sum(len(one["events"]) for one in reports) == result.count
    assert any("200 frames" in line for line in texts.ran(result))


def test_events_are_written_where_the_user_wants_them(
    app: Path, job: QuietJob, tmp_path: Path
) -> None:
    options = AppRunOptions(app, events=tmp_path / "out.jsonl")
    result = run(options, job)
    with closing(Registry(tmp_path / "registry")) as registry:
        assert saved(registry, options, result, job.folder).output == str(tmp_path / "out.jsonl")
    lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == list(result.events)


def test_another_film_takes_the_place_of_a_source(app: Path, job: QuietJob, tmp_path: Path) -> None:
    truth = film(tmp_path / "other.avi", 60, seed=5)
    result = run(AppRunOptions(app, replay=(tmp_path / "other.avi",)), job)
    assert (result.frames, result.count) == (60, len(truth))
    with pytest.raises(UsageError, match="only 1 sources"):
        run(AppRunOptions(app, replay=(tmp_path / "other.avi",) * 2), job)


def test_a_recording_of_a_signal_keeps_the_rate_of_its_source(
    tmp_path: Path, job: QuietJob
) -> None:
    folder = tmp_path / "sensor"
    folder.mkdir()
    (folder / "app.toml").write_text(
        'name = "sensor"\n[sources.a]\ntype = "csv"\npath = "a.csv"\nrate_hz = 10.0\n'
        "piece_s = 1.0\n"
        '[steps.levels]\ntype = "level"\ninput = "a"\nrate_hz = 10.0\n'
        '[steps.loud]\ntype = "rule"\ninput = "levels"\nvalue = "peak"\n'
        'event = "loud"\nabove = 5.0\n'
    )
    (tmp_path / "other.csv").write_text("0\n" * 20 + "9\n-9\n" * 10)
    result = run(AppRunOptions(folder, replay=(tmp_path / "other.csv",)), job)
    assert [(one["kind"], one["at_s"]) for one in result.events] == [
        ("loud", 2.0),
        ("loud-ended", 3.0),  # with the recording
    ]


def test_a_file_that_is_no_text_is_no_app(app: Path) -> None:
    with pytest.raises(InvalidData, match=r"model\.onnx is no app\.toml: it is not text\."):
        AppFiles.open(app / "detector" / "model.onnx")


def test_events_are_delivered_when_that_is_wanted(app: Path, job: QuietJob) -> None:
    result = run(AppRunOptions(app, deliver=True), job)
    assert result.sinks is not None
    assert result.sinks["log"]["delivered"] == result.count


def test_files_of_sinks_come_to_the_folder_of_the_app(
    app: Path, job: QuietJob, tmp_path: Path
) -> None:
    edited(app, 'path = "events.jsonl"', 'path = "/var/log/lanes/events.jsonl"')
    options = AppRunOptions(app, deliver=True, seconds=60)
    with closing(Registry(tmp_path / "registry")) as registry:
        for _ in range(2):
            result = saved(registry, options, run(options, job), job.folder)
            shutil.rmtree(job.folder)
            job.folder.mkdir()
    written = app / "data" / "var" / "log" / "lanes" / "events.jsonl"
    assert result.written == (str(written),)
    assert f"{written} written" in texts.ran(result)
    assert len(written.read_text().splitlines()) == 2 * result.count


def test_a_sink_writes_nowhere_else(app: Path, job: QuietJob) -> None:
    edited(app, 'path = "events.jsonl"', 'path = "../../events.jsonl"')
    with pytest.raises(InvalidData, match=r"\.\./\.\./events\.jsonl is outside the data"):
        run(AppRunOptions(app, deliver=True), job)


@pytest.mark.parametrize("made", ["file", "folder", "source"])
def test_links_lead_files_of_sinks_nowhere(app: Path, tmp_path: Path, made: str) -> None:
    (outside := tmp_path / "outside").mkdir()
    (outside / "profile").write_text("mine\n")
    outputs = tmp_path / "run" / "outputs"
    outputs.mkdir(parents=True)
    if made == "source":
        (outputs / "profile").symlink_to(outside / "profile")
        assert keep_outputs(app, tmp_path / "run") == ()
        return
    (outputs / "profile").write_text("theirs\n")
    if made == "folder":
        (app / "data").symlink_to(outside)
    else:
        (app / "data").mkdir()
        (app / "data" / "profile").symlink_to(outside / "profile")
    with pytest.raises(Refused):
        keep_outputs(app, tmp_path / "run")
    assert (outside / "profile").read_text() == "mine\n"


def test_code_that_changed_after_the_consent_does_not_run(app: Path, job: QuietJob) -> None:
    (app / "own.py").write_text("def process(stamp, events, state):\n    return None\n")
    edited(app, "[sinks.log]", OWN + "\n[sinks.log]")
    agreed = check(AppCheckOptions(app), job).code_digest
    run(AppRunOptions(app, allow_code=True, code=agreed), job)
    (app / "helper.py").write_text("print('other')\n")
    for step, options in ((run, AppRunOptions), (replay_test, AppTestOptions)):
        with pytest.raises(InvalidData, match="has changed since you agreed"):
            step(options(app, allow_code=True, code=agreed), job)  # type: ignore[operator]


def test_own_code_shares_the_network_of_a_camera_by_consent_alone(app: Path, job: QuietJob) -> None:
    (app / "own.py").write_text("def process(stamp, events, state):\n    return None\n")
    edited(app, "[sinks.log]", OWN + "\n[sinks.hook]\ntype='webhook'\ninput='gate'\n"
           "url='http://127.0.0.1:9/'\n[sinks.log]")  # fmt: skip
    with pytest.raises(InvalidData, match="The part hook needs the network") as caught:
        run(AppRunOptions(app, allow_code=True, deliver=True), job)
    assert "--allow-network" in caught.value.hint
    run(AppRunOptions(app, allow_code=True), job)


def test_a_test_finds_all_events_of_its_film(app: Path, job: QuietJob) -> None:
    result = replay_test(AppTestOptions(app), job)
    assert result.passed
    assert result.f1 == 1.0
    assert result.matched == result.expected
    assert texts.exit_code(result) == 0


def test_a_test_with_other_events_fails_and_names_them(app: Path, job: QuietJob) -> None:
    with (app / "expected.jsonl").open("a") as file:
        file.write('{"kind": "crossing", "at_s": 999.0}\n' * 5)
    result = replay_test(AppTestOptions(app), job)
    assert not result.passed
    assert result.missing is not None
    assert len(result.missing) == 5
    assert texts.exit_code(result) == 3
    assert any("999.00 s" in line for line in texts.tested(result))
    assert replay_test(AppTestOptions(app, least_f1=0.5), job).passed


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('expected = "expected.jsonl"', "", "The app has no test."),
        ('"expected.jsonl"', '"nowhere.jsonl"', "nowhere.jsonl does not exist"),
        ('"expected.jsonl"', '"../../etc/passwd"', "outside the folder of the app"),
        ("fps = 20.0", "fps = 20.0\nrealtime = true", "wait for the live source camera"),
        ("detector/model.onnx", "detector/none.onnx", "none.onnx does not exist"),
        ("detector/model.onnx", "/etc/passwd", "outside the folder of the app"),
        ("film.avi", "detector/model.onnx", "No frame could be read"),
        ("[sources.camera]", "[sources.camera", "app.toml cannot be read"),
    ],
)
def test_what_cannot_be_tested_is_one_sentence(
    app: Path, job: QuietJob, old: str, new: str, words: str
) -> None:
    with pytest.raises(StudioError) as caught:
        replay_test(AppTestOptions(edited(app, old, new)), job)
    assert words in str(caught.value)


@pytest.mark.parametrize("line", ["{", "3", "{}", '{"kind": "a"}', '{"at_s": 1}'])
def test_expected_events_that_are_none_are_one_sentence(
    app: Path, job: QuietJob, line: str
) -> None:
    (app / "expected.jsonl").write_text(line + "\n")
    with pytest.raises(InvalidData, match=r"expected\.jsonl"):
        replay_test(AppTestOptions(app), job)


def test_python_of_the_app_runs_with_the_consent_of_the_user_alone(
    app: Path, job: QuietJob
) -> None:
    (app / "own.py").write_text(
        "def process(stamp, events, state):\n"
        "    return [{'kind': 'seen', 'n': len(events)}] if events else None\n"
    )
    edited(app, "[sinks.log]", OWN + "\n[sinks.log]")
    with pytest.raises(InvalidData, match="The part own of lanes is Python code") as caught:
        run(AppRunOptions(app), job)
    assert "--allow-code" in caught.value.hint
    result = run(AppRunOptions(app, allow_code=True), job)
    assert result.counts["own seen"] >= 10
    assert check(AppCheckOptions(app), job).own_steps == ("own.py",)


def test_a_sink_in_python_needs_consent_and_travels_in_the_bundle(
    app: Path, job: QuietJob, tmp_path: Path
) -> None:
    (app / "lamp.py").write_text("def deliver(events, state):\n    pass\n")
    edited(
        app,
        "[sinks.log]",
        '[sinks.lamp]\ntype = "python"\ninput = "gate"\nfile = "lamp.py"\n[sinks.log]',
    )
    with pytest.raises(InvalidData, match="The part lamp of lanes is Python code"):
        run(AppRunOptions(app, deliver=True), job)
    assert run(AppRunOptions(app, allow_code=True), job).counts["gate crossing"] >= 10
    bundle = app_bundle(tmp_path, app)
    assert "app/lamp.py" in {one.name for one in bundle.files}
    (app / "lamp.py").unlink()
    with pytest.raises(InvalidData, match=r"lamp\.py"):
        check(AppCheckOptions(app), job)


def test_a_step_that_raises_loses_its_frames_alone(app: Path, job: QuietJob) -> None:
    (app / "own.py").write_text("def process(stamp, events, state):\n    return 1 / 0\n")
    edited(app, "[sinks.log]", OWN + "\n[sinks.log]")
    result = run(AppRunOptions(app, allow_code=True), job)
    assert result.failed == result.frames == 200
    assert result.counts["gate crossing"] >= 10
    assert result.fault == "The step own failed: division by zero"


@pytest.mark.parametrize("text", ["FILM", "=film.avi", ""])
def test_a_variable_is_written_with_its_value(text: str) -> None:
    with pytest.raises(UsageError, match="write NAME=VALUE"):
        variables_of((text,))


def test_a_new_app_can_be_checked(app: Path, job: QuietJob, tmp_path: Path) -> None:
    options = AppNewOptions(tmp_path / "gate 2", app / "detector" / "model.onnx")
    result = create(options, job)
    with closing(Registry(tmp_path / "registry")) as registry:
        created(registry, options, result, job.folder)
    assert "detector/preprocess.toml" in result.files
    found = check(AppCheckOptions(tmp_path / "gate 2"), job)
    assert found.name == "gate-2"


@pytest.mark.parametrize("name", ["1", "-", "..."])
def test_a_folder_that_cannot_name_an_app_is_refused(
    job: QuietJob, tmp_path: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="cannot be the name of an app"):
        create(AppNewOptions(tmp_path / name), job)


def test_files_of_an_app_stay_in_its_folder(app: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("key")
    (app / "link.txt").symlink_to(tmp_path / "secret.txt")
    files = AppFiles.open(app)
    for name in ("../secret.txt", "link.txt", "/etc/passwd"):
        with pytest.raises(InvalidData, match="outside the folder"):
            files.path(name, "files")


def test_an_app_that_is_too_large_is_not_read(app: Path) -> None:
    with (app / "app.toml").open("a") as file:
        file.write("#" * (2 << 20))
    with pytest.raises(InvalidData, match="too large"):
        AppFiles.open(app)


@pytest.mark.parametrize(
    ("task", "words"), [("", "has no outputs.toml"), ("classification", "is no detector by its")]
)
def test_a_check_refuses_a_detector_that_no_run_could_use(
    app: Path, job: QuietJob, task: str, words: str
) -> None:
    outputs = app / "detector" / "outputs.toml"
    outputs.write_text(f'task = "{task}"\n') if task else outputs.unlink()
    with pytest.raises(InvalidData, match=words):
        check(AppCheckOptions(app), job)
