"""The conformance suite of platforms, which the built-in ones pass: one life of one target.

Like ``studio.api.testing`` it raises AssertionError with a sentence, and needs no test framework.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import field
from typing import Any

from studio.api.errors import StudioError, TargetError
from studio.api.options import validate
from studio.api.platforms import Deployed, Parcel, Platform, PlatformRelease, Site
from studio.api.targets import TargetSpec
from studio.api.testing import Recorder, check_options
from studio.lazy_dataclass import dataclass

_STATES = frozenset({"starting", "serving", "canary", "failed", "replaced"})
_PREVIEW_STATES = frozenset({"planned", "skipped", "checked", "warning", "blocked"})


@dataclass(frozen=True, slots=True)
class Example:
    """What the suite deploys, and a request that both versions answer.

    Attributes:
        first, second: Two versions of one model.
        request: A JSON body of the Open Inference Protocol, version 2.
        options: Of each deploy, where the defaults do not do.
        canary: Whether the platform can give a part of the requests to a new release.
    """

    first: Parcel
    second: Parcel
    request: bytes
    options: Mapping[str, object] = field(default_factory=dict)
    canary: bool = True


def check_platform(platform: Platform, target: TargetSpec, example: Example) -> None:
    """Deploy, ask, repeat, update, roll back and remove, each as the contract says.

    Args:
        target: A place at which nothing is deployed.
    """
    assert platform.id, "it has an id"
    assert platform.title, "it has a title"
    check_options(platform.options)
    check_options(platform.deploy_options)
    assert any(target.url.startswith(f"{scheme}:") for scheme in platform.schemes)
    options = {**validate(platform.deploy_options, example.options), "canary": 0}
    site = platform.open(target, Recorder())
    try:
        _check_empty(site)
        _check_life(site, example, options)
        if example.canary:
            _check_canary(site, example, options)
        _check_removal(site)
    finally:
        site.remove(True, Recorder())
        site.close()


def _check_empty(site: Site) -> None:
    """Nothing is there, and each verb says so in a sentence."""
    identity = site.identity()
    assert identity.who, "a platform says as whom it knows the user"
    assert identity.where, "a platform says what place the target means"
    json.dumps(dict(identity.facts))
    assert not [one for one in site.releases() if one.state == "serving"]
    assert not site.resources(), "the place of the test is not empty"
    _refused(lambda: site.rollback(None, Recorder()), "a rollback of nothing")
    _refused(lambda: site.promote(Recorder()), "a promotion of nothing")


def _check_life(site: Site, example: Example, options: Mapping[str, object]) -> None:
    first, second = example.first, example.second
    preview = site.preview(first, options)
    assert preview.actions, "a preview says what would be done"
    assert {action.state for action in preview.actions} <= _PREVIEW_STATES
    assert not site.resources(), "a preview changes nothing"
    recorder = Recorder()
    _check_deployed(site.deploy(first, options, recorder), first, ("serving",))
    assert recorder.calls, "a deploy tells how far it is"
    _check_serving(site, first)
    _check_answer(site, example.request)
    _check_deployed(site.deploy(first, options, Recorder()), first, ("serving", "unchanged"))
    _check_deployed(site.deploy(second, options, Recorder()), second, ("serving",))
    _check_serving(site, second)
    _check_answer(site, example.request)
    _check_deployed(site.rollback(None, Recorder()), first, ("serving",))
    _check_serving(site, first)
    _check_answer(site, example.request)
    assert any(True for _ in site.logs(20)), "a served release has logged something"
    assert [one for one in site.resources() if one.running], "what runs is listed"


def _check_canary(site: Site, example: Example, options: Mapping[str, object]) -> None:
    first, second = example.first, example.second
    part = {**options, "canary": 20}
    _check_deployed(site.deploy(second, part, Recorder()), second, ("canary",))
    traffic = {one.release: one.traffic for one in site.releases() if one.traffic}
    assert traffic == {first.digest: 80, second.digest: 20}, f"the traffic is {traffic}"
    _check_answer(site, example.request)
    _check_deployed(site.rollback(None, Recorder()), first, ("serving",))
    _check_serving(site, first)
    site.deploy(second, part, Recorder())
    _check_deployed(site.promote(Recorder()), second, ("serving",))
    _check_serving(site, second)


def _check_removal(site: Site) -> None:
    site.remove(False, Recorder())
    assert not [one for one in site.releases() if one.state in ("serving", "canary")]
    assert not [one for one in site.resources() if one.running], "something runs on"
    left = site.remove(True, Recorder())
    assert not [one for one in left if one.removable], f"a purge left {left}"
    assert not [one for one in site.resources() if one.removable]
    site.remove(True, Recorder())  # twice is as good as once


def _check_deployed(done: Deployed, parcel: Parcel, states: Sequence[str]) -> None:
    assert done.release == parcel.digest, f"{done.release} serves, not {parcel.digest}"
    assert done.state in states, f"the state is {done.state!r}, not one of {states}"
    json.dumps(dict(done.facts))


def _check_serving(site: Site, parcel: Parcel) -> None:
    """The release has all requests, and the platform's own record says so."""
    releases = site.releases()
    assert {one.state for one in releases} <= _STATES
    serving = [one for one in releases if one.state == "serving"]
    assert len(serving) == 1, f"{len(serving)} releases serve"
    _check_record(serving[0], parcel)
    measured = site.measure()
    assert measured is None or measured.ready, "a serving release is ready"


def _check_record(found: PlatformRelease, parcel: Parcel) -> None:
    assert found.release == parcel.digest, f"{found.release} serves, not {parcel.digest}"
    assert (found.name, found.version) == (parcel.name, parcel.version)
    assert found.traffic == 100, f"the serving release has {found.traffic} % of the requests"


def _check_answer(site: Site, request: bytes) -> None:
    tunnel = site.reach()
    if tunnel is None:
        answer, head = site.infer(request, 0)
        document = json.loads(answer[:head] if head else answer)
    else:
        with tunnel:
            document = _ask(tunnel.host, tunnel.port, request)
    assert document["outputs"], "a request is answered with outputs"


def _ask(host: str, port: int, request: bytes) -> Any:
    with closing(http.client.HTTPConnection(host, port, timeout=30)) as connection:
        connection.request("POST", "/v2/repository/index", b"{}")
        name = json.loads(connection.getresponse().read())[0]["name"]
        headers = {"Content-Type": "application/json"}
        connection.request("POST", f"/v2/models/{name}/infer", request, headers)
        response = connection.getresponse()
        content = response.read()
    assert response.status == 200, f"the request was refused: {content[:200]!r}"
    return json.loads(content)


def _refused(call: Callable[[], object], what: str) -> None:
    try:
        call()
    except StudioError as error:
        refusal = error
    else:
        raise AssertionError(f"{what} was not refused")
    assert isinstance(refusal, TargetError), f"{what} is a TargetError, not a {refusal!r}"
    assert refusal.message.strip(), f"{what} was refused without a sentence"
