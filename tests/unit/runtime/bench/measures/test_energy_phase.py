"""Energy within a study: every candidate once more, by a meter that travels with the bench."""

METER = """
import time
def rails():
    # Something new at each look, and no work to be seen in it.
    read = lambda: 3.0 + 0.001 * (time.monotonic() % 0.1)
    return [{"name": "shunt", "source": "meter", "kind": "power", "read": read}]
"""


def test_each_candidate_has_its_energy(measure, candidate, tmp_path):
    meter = tmp_path / "meter.py"
    meter.write_text(METER)
    events, status = measure(
        candidate("a"), candidate("b"), energy=0.05, meter=str(meter), twin=True
    )
    assert status == 0
    found = events[-1]["energy"]
    assert (found["state"], found["source"], found["rail"]) == ("measured", "meter", "shunt")
    assert set(found["runs"]) == {"a", "b"}, "the twin is no row"
    for run in found["runs"].values():
        assert run["blocks"] == 8
        assert run["inferences"] > 0
        assert run["low"] <= run["mj"] <= run["high"]
    assert events[-1]["environment_end"]["load"] is not None


def test_a_meter_that_fails_costs_nothing_else(measure, candidate, tmp_path):
    meter = tmp_path / "meter.py"
    meter.write_text("import nothing_like_this")
    events, status = measure(candidate("a"), energy=0.05, meter=str(meter))
    assert status == 0
    assert events[-1]["energy"]["state"] == "no sensor"
    assert events[-1]["candidates"][0]["state"] == "measured"


def test_nobody_asks_for_energy_by_himself(measure, candidate):
    events, _ = measure(candidate("a"))
    assert "energy" not in events[-1]
