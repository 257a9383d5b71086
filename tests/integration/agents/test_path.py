"""The whole path: an agent lists, plans, is refused, a person approves, and the model is served."""

from __future__ import annotations

from tests.e2e.conftest import Studio
from tests.rigs.agents.sessions import Agent, approve, at_terminal


def test_a_deployment_needs_a_person_at_a_terminal(obedient: Agent, desk: Studio) -> None:
    names = obedient.order(tools=True)
    assert "apply_plan" in names
    assert not [name for name in names if "approve" in name]
    models = obedient.call("list_models")["data"]["models"]
    assert models[0]["name"] == {"untrusted_text": "digits"}
    for name in ("list_variants", "list_profiles", "list_targets", "list_history", "list_plans"):
        assert not obedient.call(name)["error"], name
    for name in ("graph_summary", "list_evidence"):
        assert not obedient.call(name, model="digits")["error"], name

    plan = obedient.call("plan_deploy", model="digits", target="local")["data"]
    assert plan["state"] == "waiting", plan
    refused = obedient.call("apply_plan", digest=plan["digest"])
    assert refused["error"]
    assert "not approved" in refused["text"]
    assert desk.ok("releases", "--target", "local") == []

    piped = desk.run("plan", "approve", plan["digest"])
    assert piped.code == 4, piped.err
    wrong, _ = at_terminal(["plan", "approve", plan["digest"]], "yes", desk.environment)
    assert wrong == 4
    assert obedient.call("apply_plan", digest=plan["digest"])["error"]

    code, shown = approve(plan["digest"], desk.environment)
    assert code == 0, shown
    assert "Deploy" in shown
    assert plan["digest"] in shown
    done = obedient.call("apply_plan", digest=plan["digest"])
    while done["data"]["state"] == "running":
        done = obedient.call("show_plan", digest=plan["digest"])
    assert done["data"]["state"] == "done", done
    served = desk.ok("call", "--target", "local", "--requests", "2")
    assert served
    again = obedient.call("apply_plan", digest=plan["digest"])
    assert "already" in again["text"]
    sample = obedient.call("read_monitor", target="local")["data"]["sample"]
    assert sample["health"] == "healthy"
