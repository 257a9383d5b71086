"""Profiles of language models: prompts, memory before anything is loaded, figures, sentences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.api import InvalidData, LanguageModel, UsageError
from studio.models.kinds import TENSORS, kind_of
from studio.models.language.kind import LANGUAGE
from studio.models.language.memory import (
    LAWS,
    MemorySettings,
    largest_context,
    memory_need,
)
from studio.plugin_host import PluginHost
from studio.profiling import build as results
from studio.profiling.language.capacity import Capacity, check, with_memory
from studio.profiling.language.environments import choose_text
from studio.profiling.language.plan import lengths, text_candidates, text_configuration, texts
from studio.profiling.plan import Candidate
from studio.profiling.recording import Recording, read_event
from studio.profiling.results import ProfileResult
from studio.profiling.step import ProfileOptions
from studio.profiling.tables import as_csv
from studio.profiling.texts import profile as describe
from studio.profiling.work import profile
from studio.registry import ModelRef
from studio.runtime.bench.config import Config
from studio.runtime.bench.facts import ContextMemory
from studio.runtime.bench.tokens.plan import TokenPlan
from tests.unit.profiling.conftest import WatchedJob
from tests.unit.runtime.bench.test_tokens import rounds

SMOL = LanguageModel(
    "llama", layers=30, heads=9, kv_heads=3, key_size=64, value_size=64, width=576,
    vocabulary=49152, context=8192,
)  # fmt: skip
FILE = 98_362_432
MIB = 1 << 20


def model(name: str, path: str = "/m.gguf") -> ModelRef:
    return ModelRef(path, "d", 1, 1, "smol", name, "gguf", "q4_1")


def candidate(label: str, **options: Any) -> Candidate:
    return Candidate(label, model(label), "llama-cpp", Path(), options, "llama-cpp", "python")


def test_one_length_is_that_of_all_prompts() -> None:
    assert lengths([128]) == (128,)


def test_two_lengths_are_a_distribution() -> None:
    drawn = sorted(lengths([128, 512]))
    assert drawn[len(drawn) // 2 - 1] <= 128 <= drawn[len(drawn) // 2]
    assert drawn[-2] < 512 < drawn[-1] * 1.1


@pytest.mark.parametrize("given", [[512, 128], [1, 2, 3]])
def test_other_lengths_are_refused(given: list[int]) -> None:
    with pytest.raises(UsageError, match="a median and a larger 95th percentile"):
        lengths(given)


def test_prompts_are_texts_or_objects(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text('{"prompt": "one"}\n\n"two"\n{"text": "three", "more": 1}\n', "utf-8")
    assert texts(file) == ("one", "two", "three")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "has no prompts"),
        (b'{"prompt": "a"}\nnot json\n', "Line 2 of p.jsonl has no prompt"),
        (b'{"prompt": 5}\n', "Line 1 of p.jsonl has no prompt"),
        (b'{"prompt": "  "}\n', "Line 1 of p.jsonl has no prompt"),
        (b"\xff\xfe\n", "it is not UTF-8"),
        (b"[" * 100_000, "Line 1 of p.jsonl has no prompt"),
    ],
)
def test_a_wrong_file_of_prompts_is_one_sentence(
    content: bytes, sentence: str, tmp_path: Path
) -> None:
    file = tmp_path / "p.jsonl"
    file.write_bytes(content)
    with pytest.raises(InvalidData, match=sentence):
        texts(file)


@pytest.mark.parametrize(
    ("context", "cache", "measured_mib"),
    [(512, "f16", 182.7), (512, "int8", 177.8), (512, "int4", 174.9), (2048, "f16", 219.3),
     (2048, "int8", 198.2), (2048, "int4", 187.1)],
)  # fmt: skip
def test_llama_cpp_takes_what_is_predicted(context: int, cache: str, measured_mib: float) -> None:
    need = memory_need(SMOL, FILE, "llama-cpp", context, MemorySettings(cache=cache))
    assert need is not None
    assert need.total / MIB == pytest.approx(measured_mib, rel=0.05)


@pytest.mark.parametrize(
    ("settings", "measured_mib"),
    [(MemorySettings(batch=128), 207.3), (MemorySettings(batch=1024), 231.4),
     (MemorySettings(slots=4), 354.3)],
)  # fmt: skip
def test_batch_and_slots_are_predicted(settings: MemorySettings, measured_mib: float) -> None:
    need = memory_need(SMOL, FILE, "llama-cpp", 2048, settings)
    assert need is not None
    assert need.total / MIB == pytest.approx(measured_mib, rel=0.05)


@pytest.mark.parametrize("backend", list(LAWS))
def test_the_largest_context_fits_and_the_next_one_does_not(backend: str) -> None:
    free = 300 * MIB
    most = largest_context(SMOL, FILE, backend, free)
    fits, above = (memory_need(SMOL, FILE, backend, one) for one in (most, most + 1))
    assert fits is not None
    assert fits.total <= free
    assert above is not None
    assert above.total > free


@pytest.mark.parametrize(
    ("context", "settings", "measured_mib"),
    [(512, MemorySettings(), 363.8), (2048, MemorySettings(), 431.9),
     (8192, MemorySettings(), 702.4), (2048, MemorySettings(batch=128), 344.0),
     (2048, MemorySettings(slots=2), 522.0)],
)  # fmt: skip
def test_onnxruntime_genai_takes_what_is_predicted(
    context: int, settings: MemorySettings, measured_mib: float
) -> None:
    need = memory_need(SMOL, 86_513_245, "onnxruntime-genai", context, settings)
    assert need is not None
    assert need.total / MIB == pytest.approx(measured_mib, rel=0.05)


@pytest.mark.parametrize(
    ("files", "repacked_mib", "measured_mib"),
    [(77_571_136, 72.1, 222.6), (91_726_912, 57.0, 220.8), (105_454_144, 7.6, 185.6),
     (144_811_072, 0.0, 215.0)],
)  # fmt: skip
def test_repacked_weights_are_held_twice(
    files: int, repacked_mib: float, measured_mib: float
) -> None:
    """Measured with 64 tokens in one run of Q4_0 (pure), Q4_0, Q4_K_M and Q8_0."""
    settings = MemorySettings(batch=64)
    repacked = round(repacked_mib * MIB)
    need = memory_need(SMOL, files, "llama-cpp", 512, settings, repacked)
    assert need is not None
    assert need.total / MIB == pytest.approx(measured_mib, rel=0.05)


def test_a_cache_that_a_backend_has_not_predicts_nothing() -> None:
    assert memory_need(SMOL, FILE, "onnxruntime-genai", 512, MemorySettings(cache="int8")) is None


def test_unknown_facts_predict_nothing() -> None:
    assert memory_need(LanguageModel("llama"), FILE, "llama-cpp", 512) is None
    assert memory_need(SMOL, FILE, "unknown", 512) is None
    assert largest_context(SMOL, FILE, "llama-cpp", 10) == 0


def test_a_context_beyond_the_models_is_refused() -> None:
    plan = TokenPlan(lengths=[9000])
    with pytest.raises(UsageError, match="made for 8,192 tokens of context; 9,040 were"):
        check([candidate("a")], {1: Capacity(SMOL, FILE)}, plan, None)


def test_too_little_memory_is_refused_with_what_fits() -> None:
    plan = TokenPlan(lengths=[128], contexts=[8192])
    with pytest.raises(UsageError, match=r"0\.25 GB is free") as raised:
        check([candidate("a")], {1: Capacity(SMOL, FILE)}, plan, 250_000_000)
    assert "tokens would fit" in raised.value.hint


def test_a_mode_of_other_models_is_refused() -> None:
    options = ProfileOptions(model=(model("a"),), mode="throughput", target=None)
    with pytest.raises(UsageError, match="are measured in tokens"):
        text_candidates(PluginHost.discover(), options)


def test_an_unknown_backend_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="'other' is no backend of language models") as raised:
        choose_text(PluginHost.discover(), ["other"], {})
    assert "llama-cpp" in raised.value.hint


def test_models_of_both_kinds_are_not_compared(job: WatchedJob) -> None:
    other = ModelRef("/m.onnx", "d", 2, 2, "net", "b", "onnx", "fp32")
    options = ProfileOptions(model=(model("a"), other), target=None)
    with pytest.raises(UsageError, match="are not compared in one profile"):
        profile(options, job)  # type: ignore[arg-type]


def test_a_gguf_file_is_a_language_model_and_a_network_is_not() -> None:
    assert kind_of(model("a")) is LANGUAGE
    assert kind_of(ModelRef("/m.onnx", "d", 1, 1, "n", "v", "onnx", "fp32")) is TENSORS


def test_texts_get_the_context_of_the_model_at_most(tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    file.write_text('"' + "word " * 5000 + '"\n', "utf-8")
    options = ProfileOptions(model=(model("a"),), prompts=file)
    assert text_configuration([candidate("a")], options, 8192).tokens.context == 8192


def recorded(slower: float) -> ProfileResult:
    chosen = [candidate("a", threads=1), candidate("b", threads=1)]
    plan = TokenPlan(lengths=[30, 60], answer=8, streams=[1, 4])
    recording = Recording(Config((), mode="tokens", tokens=plan))
    for label in ("a", "b", "a#twin"):
        event = {"event": "candidate", "id": label, "state": "ready", "reason": ""}
        recording.add(read_event(event))  # type: ignore[arg-type]
    for each in rounds(slower):
        walls = {name: times[0] for name, times in each.times_ns.items()}
        each.wall_ns.update(walls)
        each.cpu_ns.update(walls)
        recording.add(each)
    facts = {"context": 256, "vocabulary": 10, "prompts": [30, 60]}
    rows = [{"id": label, "state": "measured", "reason": "", "tokens": facts} for label in "ab"]
    end = {"event": "result", "mode": "tokens", "reference": "a", "candidates": rows, "feeds": []}
    recording.add(read_event(end))  # type: ignore[arg-type]
    return results.build(recording, chosen)


def test_figures_are_in_tokens() -> None:
    first = recorded(1.2).runs[0]
    assert first.tokens is not None
    [one] = [each for each in first.tokens.settings if each.streams == 1]
    assert first.latency_ms.p50 == pytest.approx(20, rel=0.02)
    assert one.first_ms.p50 == pytest.approx(900, rel=0.02)
    assert one.prefill_per_second == pytest.approx(45 / 0.9, rel=0.02)


def test_the_main_verdict_is_that_of_a_token() -> None:
    result = recorded(1.2)
    assert [one.measure for one in result.verdicts] == ["token", "first", "all"]
    assert [one.measure for one in result.main_verdicts] == ["token"]


def test_tables_speak_tokens() -> None:
    lines = describe(recorded(1.2))
    assert any("first token ms" in line for line in lines)
    assert any(line.startswith("Time to the first token: b is slower") for line in lines)
    assert any("answers of 8" in line for line in lines)


def test_a_spreadsheet_has_the_figures() -> None:
    document = results_document(recorded(1.2))
    assert "first_token_ms" in as_csv(document).splitlines()[0]


def results_document(result: ProfileResult) -> Any:
    from studio.documents.dataclass_json import to_json
    from studio.profiling.history import read_profile

    return read_profile(to_json(result))


def test_memory_is_predicted_beside_what_was_measured() -> None:
    run = recorded(1.0).runs[0]
    plan = TokenPlan(contexts=[512, 2048])
    measured = [ContextMemory("a", 512, 182.7, 165.9), ContextMemory("a", 2048, reason="It fell.")]
    found = with_memory(run, candidate("a"), Capacity(SMOL, FILE), plan, measured).tokens
    assert found is not None
    first, second = found.memory
    assert abs(first.error or 1) < 0.05
    assert (second.measured_mb, second.reason) == (None, "It fell.")
