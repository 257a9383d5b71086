"""Packaging: what is in a bundle, that it is the same every time, and what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy
import onnx
import onnx.reference
import pytest
from onnx import TensorProto, helper

from studio.api import InvalidData, StudioError
from studio.packages import golden
from studio.packages.bundle import Bundle, content_digest
from studio.packages.latency import latency_of
from studio.packages.record import numbering, packaged, prepare
from studio.packages.results import LatencyFile
from studio.packages.step import PackageOptions
from studio.packages.work import package
from studio.registry import ModelRef, Registry, VariantRecord
from studio.runtime.release.trial.golden_check import compare, read_sample
from studio.runtime.serve.engine.source import from_bundle
from tests.rigs.bundles import QuietJob, make_bundle, package_options, reference
from tests.unit.runtime.models import make_cnn

DIGITS = Path(__file__).parents[3] / "resources" / "samples" / "digits"


def test_the_same_model_gives_the_same_bytes(tmp_path: Path) -> None:
    first = make_bundle(tmp_path / "a", 1)
    second = make_bundle(tmp_path / "b", 1)
    assert first.digest == second.digest
    for one, other in zip(first.files, second.files, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes(), one.name


def test_number_and_date_change_the_digest_but_not_the_content(tmp_path: Path) -> None:
    first = make_bundle(tmp_path / "a", 1, seed=5)
    second = make_bundle(tmp_path / "b", 2, seed=5)
    assert first.digest != second.digest
    assert first.content == second.content
    assert make_bundle(tmp_path / "c", 3, seed=6).content != first.content


def test_golden_outputs_are_the_models_answers(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, 1)
    assert bundle.raw["golden"]["count"] == 2
    feeds, expected = read_sample(bundle.folder / "golden" / "000.npz")
    assert (set(feeds), set(expected)) == ({"image"}, {"scores"})
    session = onnx.reference.ReferenceEvaluator(str(bundle.folder / "model.onnx"))
    (wanted,) = session.run(None, {"image": feeds["image"]})
    numpy.testing.assert_allclose(expected["scores"], wanted, rtol=1e-4, atol=1e-5)


def test_of_a_large_output_the_extremes_and_some_between_are_kept(tmp_path: Path) -> None:
    chance = numpy.random.default_rng(1)
    large = chance.random((3, 50_000), numpy.float32) * 0.01
    large[1, 777] = 1.0
    small = {"small": numpy.arange(4.0), "words": numpy.array(["a", "b"])}
    sample = golden.GoldenSample({"x": numpy.zeros(2)}, {"large": large, **small})
    (path,) = golden.write([sample], tmp_path / "golden")
    assert path.stat().st_size < 60_000
    feeds, expected = read_sample(path)
    assert list(feeds) == ["x"]
    answers = {"large": large.copy(), **small}
    assert compare(answers, expected, 1e-3, 1e-6) == (0.0, True)
    answers["large"][1, 777] = 0.5
    assert compare(answers, expected, 1e-3, 1e-6) == (0.5, False)
    answers["large"] = large.reshape(50_000, 3)
    assert compare(answers, expected, 1e-3, 1e-6)[1] is False
    answers["large"] = large + 0.01
    assert compare(answers, expected, 1e-3, 1e-6)[1] is False


def test_digits_with_data_labels_and_preprocessing(tmp_path: Path) -> None:
    asked = package_options(
        reference(DIGITS / "digits.onnx", "digits"),
        samples=8,
        data=DIGITS / "heldout.npz",
        labels=DIGITS / "labels.txt",
    )
    result = package(asked, QuietJob(tmp_path))
    raw = json.loads((Path(result.bundle) / "manifest.json").read_text())
    assert raw["labels"] == "labels.txt"
    assert raw["preprocess"]["height"] == 8
    assert raw["model"]["inputs"] == [
        {"name": "image", "dtype": "float32", "shape": ["batch", 1, 8, 8]}
    ]
    assert raw["model"]["opset"] == {"": 17}
    assert len([name for name in raw["files"] if name.startswith("golden/")]) == 16
    with numpy.load(DIGITS / "heldout.npz") as data:
        image = next(data[name] for name in data.files if data[name].ndim == 4)
    feeds, _ = read_sample(Path(result.bundle) / "golden" / "000.npz")
    assert any(numpy.array_equal(feeds["image"][0], one) for one in image)


def test_the_tolerance_follows_the_precision_and_the_outputs(tmp_path: Path) -> None:
    model = make_cnn(tmp_path / "cnn.onnx")
    found = {}
    for precision in ("fp32", "int8"):
        job = QuietJob(tmp_path / precision)
        ref = reference(model, precision=precision)
        result = package(package_options(ref, samples=2), job)
        found[precision] = Bundle.open(Path(result.bundle)).raw["golden"]
    assert found["int8"]["atol"] == pytest.approx(50 * found["fp32"]["atol"], rel=0.1)
    assert found["fp32"]["rtol"] == 1e-3


def test_external_tensors_travel_under_their_own_names(tmp_path: Path) -> None:
    model = onnx.load(make_cnn(tmp_path / "cnn.onnx"))
    onnx.save(
        model,
        tmp_path / "split.onnx",
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    asked = package_options(tmp_path / "split.onnx", samples=1)
    result = package(asked, QuietJob(tmp_path / "job"))
    bundle = Bundle.open(Path(result.bundle))
    assert {"model.onnx", "weights.bin"} <= {file.name for file in bundle.files}


def test_an_altered_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path / "made", 1)
    for index, (spoil, words) in enumerate(
        (
            (lambda f: (f / "model.onnx").write_bytes(b"x"), "model.onnx is not what"),
            (lambda f: (f / "golden" / "001.npz").unlink(), "golden/001.npz is missing"),
            (lambda f: (f / "extra.sh").write_text("x"), "extra.sh, which its manifest"),
            (lambda f: (f / "manifest.json").write_text("{"), "manifest cannot be used"),
            (lambda f: (f / "manifest.json").unlink(), "is not a bundle"),
        )
    ):
        copy = tmp_path / f"copy-{index}"
        shutil.copytree(bundle.folder, copy)
        spoil(copy)
        with pytest.raises(StudioError, match=words):
            Bundle.open(copy)


@pytest.mark.parametrize("name", ["../evil", "/etc/passwd", "a/../../b", "a//b", "", "c\\d"])
def test_a_manifest_cannot_name_files_outside(tmp_path: Path, name: str) -> None:
    bundle = make_bundle(tmp_path, 1)
    raw = json.loads(bundle.text)
    raw["files"][name] = {"sha256": "0" * 64, "bytes": 1}
    (bundle.folder / "manifest.json").write_text(json.dumps(raw))
    with pytest.raises(StudioError, match="it names the file"):
        Bundle.open(bundle.folder)


def test_a_model_of_texts_is_packaged_without_data(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["text"], ["same"])],
        "strings",
        [helper.make_tensor_value_info("text", TensorProto.STRING, [1])],
        [helper.make_tensor_value_info("same", TensorProto.STRING, [1])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "strings.onnx")
    asked = package_options(tmp_path / "strings.onnx")
    bundle = Bundle.open(Path(package(asked, QuietJob(tmp_path / "job")).bundle))
    with numpy.load(bundle.folder / "golden" / "inputs" / "000.npz") as arrays:
        assert arrays["in.text"].tolist()[0] in ("0", "1")


def test_a_model_that_accepts_no_made_up_input_says_why_and_asks_for_data(tmp_path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("Reshape", ["x", "shape"], ["y"])],
        "sevens",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "length"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [7, "rest"])],
        [helper.make_tensor("shape", TensorProto.INT64, [2], [7, 5])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "sevens.onnx")
    asked = package_options(tmp_path / "sevens.onnx")
    with pytest.raises(InvalidData, match=r"does not run with random inputs\. .*Reshape") as caught:
        package(asked, QuietJob(tmp_path / "job"))
    assert "--data" in caught.value.hint


def test_a_first_preprocess_is_made_of_the_input(tmp_path: Path) -> None:
    path = make_cnn(tmp_path / "cnn.onnx")
    plain = package(package_options(path), QuietJob(tmp_path / "plain"))
    assert plain.preprocess_draft == ""
    assert "--preprocess-draft" in plain.hints[0]
    asked = package_options(path, preprocess_draft=Path("preprocess.toml"))
    drafted = package(asked, QuietJob(tmp_path / "asked"))
    assert drafted.hints == ()
    assert 'resize = "stretch"' in drafted.preprocess_draft
    assert Bundle.open(Path(drafted.bundle)).raw["preprocess"] is None, "it is only a draft"


def cnn_in(registry: Registry, folder: Path) -> VariantRecord:
    artifact = registry.adopt(make_cnn(folder / "cnn.onnx"))
    model = registry.add_model("cnn")
    return registry.add_variant(model, "fp32", artifact, format="onnx", precision="fp32")


def test_packaging_twice_makes_one_version(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path / "registry")
    variant = cnn_in(registry, tmp_path)
    options = PackageOptions(model=ModelRef.of(variant), samples=1)
    results = []
    for turn in range(2):
        asked = prepare(registry, options)
        job = QuietJob(tmp_path / f"job-{turn}")
        results.append(packaged(registry, asked, package(asked, job), job.folder))
    assert results[0].new
    assert not results[1].new
    assert results[0].digest == results[1].digest
    assert [version.number for version in registry.versions()] == [1]
    # With other golden samples it is another bundle.
    asked = prepare(registry, replace(options, samples=2, out=tmp_path / "out"))
    job = QuietJob(tmp_path / "job-3")
    third = packaged(registry, asked, package(asked, job), job.folder)
    assert third.version == 2
    assert third.counter > results[0].counter - 1
    copy = Bundle.open(tmp_path / "out")
    assert copy.digest == third.digest
    assert content_digest(copy.raw) == copy.content
    (tmp_path / "out" / "labels.txt").write_text("writable")  # the user's copy is the user's
    registry.close()


def profile_of(registry: Registry, variant: int, p50: float, **more: object) -> None:
    """A run of a profile, as the step records it."""
    row = {
        "id": "cnn",
        "variant_id": variant,
        "backend": "onnxruntime",
        "providers": ["CPUExecutionProvider"],
        "threads": 1,
        "latency_ms": {"p50": p50, "p90": p50, "p99": None},
        "round_ms": [p50, p50 * 1.01, p50 * 0.99],
        **more,
    }
    feeds = [{"name": "image", "dtype": "float32", "shape": [1, 3, 16, 16]}]
    environment = {"cpu": "x", "arch": "y", "board": None, "clock_mhz": 1800.0}
    result = {"mode": "latency", "runs": [row], "feeds": feeds, "environment": environment}
    registry.add_run("profile", None, {}, result)


def test_the_newest_profile_of_each_target_goes_into_the_bundle(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path / "registry")
    assert latency_of(registry, 1, "onnxruntime") is None
    profile_of(registry, 1, 7.0)
    profile_of(registry, 1, 5.0)
    profile_of(registry, 1, 3.0, threads=2)
    profile_of(registry, 1, 2.0, backend="openvino")
    profile_of(registry, 1, 1.0, providers=["CUDAExecutionProvider"])
    profile_of(registry, 2, 0.5)
    found = latency_of(registry, 1, "onnxruntime")
    registry.close()
    assert found is not None
    times = [(one.threads, one.p50_ms, one.bytes) for one in found.profiles]
    assert times == [(2, 3.0, 3072), (1, 5.0, 3072)]
    assert 0 < found.profiles[0].error < 0.02


def test_times_of_the_backend_that_serves_it_count(tmp_path: Path) -> None:
    registry = Registry.open(tmp_path / "registry")
    profile_of(registry, 1, 5.0)
    profile_of(registry, 1, 2.0, backend="openvino", providers=["CPU"])
    found = latency_of(registry, 1, "openvino")
    registry.close()
    assert found is not None
    assert [one.p50_ms for one in found.profiles] == [2.0]


def test_a_build_that_is_to_be_repeated_takes_no_times_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = Registry.open(tmp_path / "registry")
    variant = cnn_in(registry, tmp_path)
    profile_of(registry, variant.id, 7.0)
    ref = ModelRef.of(variant)
    latency = numbering(registry, ref).latency
    assert latency is not None
    assert latency.profiles[0].p50_ms == 7.0
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    assert numbering(registry, ref).latency is None
    registry.close()


def test_measured_times_are_not_of_the_content_but_of_the_bundle(tmp_path: Path) -> None:
    """The same pipeline makes the same content, whatever its profile measured."""
    plain = make_bundle(tmp_path / "a", 1)
    latency = LatencyFile(1, ())
    timed = make_bundle(tmp_path / "b", 1, latency=latency)
    assert plain.content == timed.content
    assert plain.digest != timed.digest
    assert json.loads((timed.folder / "latency.json").read_text()) == {"form": 1, "profiles": []}
    assert from_bundle(timed.folder).profiles == {"form": 1, "profiles": []}
    again = make_bundle(tmp_path / "c", 2, seed=1, known=[timed.folder])
    assert again.digest != timed.digest  # without the times it is another
    same = make_bundle(tmp_path / "d", 2, seed=1, known=[timed.folder], latency=latency)
    assert same.digest == timed.digest
