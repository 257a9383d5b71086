"""Profiles that were made: lists, comparisons, and files."""

import csv
import io
import json
import random
from pathlib import Path

import pytest

from studio.api import UsageError
from studio.documents.dataclass_json import from_json, to_json
from studio.profiling import export as profile_export
from studio.profiling import history, tables
from studio.profiling.history import ProfileDocument, read_profile
from studio.profiling.results import ProfileResult
from studio.profiling.step import ExportOptions

RESULT_OF_0_1 = Path(__file__).parents[2] / "data" / "results" / "0.1" / "profile.json"


def times(middle, noise=0.01, count=40, seed=1):
    source = random.Random(seed)
    return [middle * (1 + noise * (source.random() - 0.5)) for _ in range(count)]


def row(name, p50, **values):
    return {
        "id": name,
        "model": name,
        "backend": "onnxruntime",
        "runtime": "onnxruntime",
        "variant": name.partition(":")[2],
        "variant_id": 1,
        "state": "measured",
        "reason": "",
        "device": "cpu",
        "latency_ms": {"p50": p50, "p90": None, "p99": None},
        "round_ms": times(p50) if p50 else [],
        "distribution": [p50 * (0.9 + index / 400) for index in range(101)] if p50 else [],
        **values,
    }


def run(number, *rows, **result):
    return from_json(ProfileDocument, document(number, *rows, **result))


def document(number, *rows, **result):
    return {
        "mode": "latency",
        "target": "local",
        "environment": {"cpu": "Cortex-A76", "governors": ["performance"]},
        "reference": "m:fp32",
        "runs": list(rows),
        "verdicts": [],
        "notes": [],
        **result,
        "run": number,
        "at": "2026-11-26T09:00:00+00:00",
    }


BEFORE = run(1, row("m:fp32", 10.0), row("m:int8", 5.0))
DOCUMENT = document(1, row("m:fp32", 10.0), row("m:int8", 5.0))


VERDICT = {
    **{"a": "m:fp32", "b": "m:int8", "ratio": 0.5, "low": 0.49, "high": 0.51, "margin": 0.03},
    **{"verdict": "faster", "confidence": 0.95, "rounds": 40, "text": "int8 is faster."},
}


def test_a_line_names_the_best():
    line = history.line(BEFORE)
    assert (line.fastest, line.best, line.unit) == ("m:int8", 5.0, "ms")
    assert line.models == ("m:fp32", "m:int8")
    best = {"streams": 1, "batch": 1, "per_second": 9}
    rate = run(2, row("m:a", None, throughput={"best": best}), mode="throughput")
    assert (history.line(rate).best, history.line(rate).unit) == (9, "a second")
    assert history.line(run(3, row("m:a", None))).fastest is None


@pytest.mark.parametrize(
    ("factor", "word"), [(1.0, "equal"), (1.2, "slower"), (0.8, "faster"), (1.03, "undecided")]
)
def test_two_profiles_are_compared_with_an_interval(factor, word):
    after = run(2, row("m:fp32", 10.0), row("m:int8", 5.0 * factor))
    found = history.compare(BEFORE, after)
    fp32, int8 = found.rows
    assert fp32.verdict == "equal"
    assert int8.verdict == word
    assert int8.low <= int8.ratio <= int8.high
    assert int8.relative == pytest.approx(int8.ratio / fp32.ratio)
    assert found.comparable
    assert "at different times" in found.notes[-1]


def test_few_rounds_decide_nothing():
    short = run(2, row("m:fp32", 20.0, round_ms=[20.0] * 3))
    (found,) = history.compare(run(1, row("m:fp32", 10.0)), short).rows
    assert (found.ratio, found.verdict) == (2.0, "undecided")


def test_another_machine_and_another_state_are_said():
    state = run(
        2, row("m:fp32", 10.0), environment={"cpu": "Cortex-A76", "governors": ["powersave"]}
    )
    found = history.compare(BEFORE, state)
    assert not found.comparable
    assert found.differences[0].key == "governors"
    assert "not in the same state (governors)" in found.notes[0]
    machine = run(3, row("m:fp32", 10.0), environment={"cpu": "Cortex-A53"})
    assert "different machines" in history.compare(BEFORE, machine).notes[0]
    assert history.compare(BEFORE, machine).only_before == ("m:int8",)


def test_what_has_nothing_in_common_is_said():
    found = history.compare(BEFORE, run(2, row("other:fp32", 1.0)))
    assert found.rows == ()
    assert "no variant" in found.notes[0]
    modes = history.compare(BEFORE, run(2, row("m:fp32", 10.0), mode="sustained"))
    assert modes.rows == ()
    assert "One is of the mode latency" in modes.notes[0]


def test_rates_are_compared_as_times():
    slow, fast = (
        run(n, row("m:a", None, throughput={"best": best}), mode="throughput", reference="m:a")
        for n, best in (
            (1, {"streams": 1, "batch": 1, "per_second": 100.0, "low": 99.0, "high": 101.0}),
            (2, {"streams": 1, "batch": 1, "per_second": 200.0, "low": 198.0, "high": 202.0}),
        )
    )
    (found,) = history.compare(slow, fast).rows
    assert (found.ratio, found.verdict) == (0.5, "faster")


def test_a_spreadsheet_has_a_row_for_each_run_and_no_formula():
    profile = {
        **DOCUMENT,
        "sizes": {"1": 4700},
        "quality": {"title": "Top-1", "values": {"1": 0.98}},
        "placement": {"runs": [{"id": "m:int8", "asked": "cuda", "fallback": 0.25}]},
        "verdicts": [VERDICT],
    }
    rows = [DOCUMENT["runs"][0], {**DOCUMENT["runs"][1], "reason": '=HYPERLINK("x")'}]
    read = from_json(ProfileDocument, {**profile, "runs": rows})
    first, second = csv.DictReader(io.StringIO(tables.as_csv(read)))
    assert (first["p50_ms"], first["size_bytes"], first["quality"]) == ("10.0", "4700", "0.98")
    assert (second["ratio"], second["verdict"], second["fallback"]) == ("0.5", "faster", "0.25")
    assert second["reason"].startswith("'=")
    assert first["energy_mj"] == ""


def export(job, tmp_path, name, document):
    profile = tmp_path / "profile.json"
    profile.write_text(document if isinstance(document, str) else json.dumps(document))
    profile_export.write(ExportOptions(profile, tmp_path / name), job)
    (written,) = job.folder.iterdir()
    return written.read_text(encoding="utf-8")


FULL = {
    **DOCUMENT,
    "model": "<script>alert(1)</script>",
    "sizes": {"1": 1},
    "verdicts": [VERDICT],
    "notes": ["The machine was busy."],
    "energy": {"state": "no sensor", "reason": "this machine has none"},
    "placement": {
        "runs": [{"id": "m:int8", "asked": "cuda", "providers": {"cpu": 1.0}, "fallback": 1.0}]
    },
    "operators": [
        {"run": "m:int8", "attributed": 0.98, "overhead": 0.09, "nodes": [
            {"name": "conv", "operator": "Conv", "us": 3.0, "share": 0.5, "providers": ["cpu"]}]}
    ],
}  # fmt: skip


def test_the_report_is_one_file_that_runs_nothing(job, tmp_path):
    page = export(job, tmp_path, "report.html", FULL)
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert page.count("data:image/svg+xml") == 2, "distribution and ratios"
    for text in (
        *("int8 is faster.", "The machine was busy.", "No sensor: this machine has none."),
        *("cuda", "98.0 % of the kernels", "profiling itself costs 9 %", "Cortex-A76"),
    ):
        assert text in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def sustained(run_id):
    points = [{"t_s": float(t), "p50_ms": 5.0} for t in range(5)]
    return row(run_id, None, sustained={"series": points})


@pytest.mark.parametrize(
    ("mode", "runs"),
    [
        ("sustained", [sustained("m:fp32")]),
        (
            "throughput",
            [row("m:a", None, throughput={"settings": [
                {"streams": 1, "batch": 1, "state": "measured", "per_second": 9.0, "low": 8.0,
                 "high": 10.0}]})],
        ),
        (
            "open-loop",
            [row("m:a", None, open_loop={"limit_ms": 5.0, "trials": [
                {"rate": 10.0, "latency_ms": {"p50": 1.0, "p99": None}}]})],
        ),
    ],
)  # fmt: skip
def test_each_mode_has_its_figure(job, tmp_path, mode, runs):
    page = export(
        job, tmp_path, "report.html", {**FULL, "mode": mode, "runs": runs, "verdicts": []}
    )
    assert page.count("data:image/svg+xml") == 1


def test_a_profile_of_0_1_is_written_in_each_form(job, tmp_path):
    document = json.loads(RESULT_OF_0_1.read_text(encoding="utf-8"))
    assert to_json(from_json(ProfileResult, document)) == document
    page = export(job, tmp_path, "report.html", document)
    assert page.count("data:image/svg+xml") == 1, "a rate without an interval is drawn, too"
    (row,) = csv.DictReader(io.StringIO(tables.as_csv(read_profile(document))))
    assert (row["best_streams"], row["fallback"], row["low"]) == ("1", "0.0", "")


def test_json_and_csv_are_written_as_well(job, tmp_path):
    assert json.loads(export(job, tmp_path, "profile.JSON", FULL))["target"] == "local"


@pytest.mark.parametrize(
    ("name", "document", "said"),
    [
        ("report.txt", FULL, "written as .html, .csv, .json, .png, .pdf, .svg; report.txt is none"),
        ("report.html", {"nodes": 3}, "is not a profile: it has no runs"),
        ("report.html", "no json", "cannot be read as a profile"),
    ],
)
def test_what_cannot_be_written_is_one_sentence(job, tmp_path, name, document, said):
    with pytest.raises(UsageError, match=said):
        export(job, tmp_path, name, document)


def test_other_inputs_are_named():
    before, after = (
        run(
            number,
            row("m:fp32", 10.0),
            feeds=[{"name": "x", "dtype": "float32", "shape": [1, 3, 48, width], "assumed": []}],
            options=options,
        )
        for number, width, options in (
            (1, 224, {"threads": 1}),
            (2, 320, {"threads": 1, "data": "/data/heldout.npz"}),
        )
    )
    notes = history.compare(before, after).notes
    assert notes[0] == "The input x was 1x3x48x224 before and 1x3x48x320 after."
    assert notes[1] == "The inputs were random values before and a sample of heldout.npz after."
    assert not [one for one in history.compare(after, after).notes if "input" in one]
