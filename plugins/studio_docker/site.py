"""One target at an engine: a gate that keeps the port, and the releases that take turns at it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from docker.models.containers import Container

from studio.api import (
    Deployed,
    Identity,
    Measurement,
    Parcel,
    PlatformRelease,
    Preview,
    Progress,
    Refused,
    Resource,
    TakenBack,
    TargetError,
)
from studio_docker.containers.access_tokens import put_tokens, read_tokens, token_at
from studio_docker.containers.generation import require_libraries
from studio_docker.containers.history import ContainerRelease, ReleaseHistory, poll
from studio_docker.containers.listener import Listener, PublishedPort, ensure_gate
from studio_docker.containers.names import EngineNames
from studio_docker.containers.releases import Containers, ContainerSpec
from studio_docker.containers.removal import (
    list_resources,
    remove_all,
    remove_leftovers,
    remove_old,
    stop_all,
)
from studio_docker.containers.trial import Trial, Trials
from studio_docker.engine.client import Engine
from studio_docker.engine.connection import Address
from studio_docker.engine.image_loader import ImageLoader, find_base
from studio_docker.image.build import build_gate, build_image, work_folder
from studio_docker.image.build_context import dockerfile
from studio_docker.image.settings import server
from studio_docker.image.spec import ImageSpec
from studio_docker.preview import actions


class DockerSite:
    """A session with an engine at the place of one target."""

    def __init__(self, engine: Engine, address: Address) -> None:
        self._engine = engine
        self._address = address
        self._place = EngineNames(address.name)

    def identity(self) -> Identity:
        facts = self._engine.facts()
        where = f"{facts['product']} {facts['version']} at {self._address.engine}"
        return Identity(_user(), where, {**facts, "place": self._place.name})

    def preview(self, parcel: Parcel, options: Mapping[str, Any]) -> Preview:
        spec = ImageSpec.of(options)
        history = poll(self._engine, self._place)
        found = actions(self._engine, self._place, history, parcel, options)
        config = server(spec.user, {}, bool(parcel.manifest.get("app")))
        documents = {"Dockerfile": dockerfile(parcel, spec.base, config)}
        return Preview(tuple(found), documents, cost_note="An engine of your own costs nothing.")

    def deploy(self, parcel: Parcel, options: Mapping[str, Any], progress: Progress) -> Deployed:
        blocked = [one for one in self.preview(parcel, options).actions if one.state == "blocked"]
        if blocked:
            raise Refused(blocked[0].text, hint=blocked[0].hint)
        spec, door = ImageSpec.of(options), Listener.of(options)
        wish = ContainerSpec.of(parcel, options)
        tokens = read_tokens(str(options["token_file"] or ""))
        trials = Trials(self._engine, self._place, progress)
        trials.recover(poll(self._engine, self._place))
        with work_folder(parcel) as folder:
            image, sent = self._images(parcel, spec, Path(folder), progress)
        history = poll(self._engine, self._place)
        gate = ensure_gate(self._engine, self._place, door, history.gate, progress)
        put_tokens(self._engine, gate, tokens)
        if wish.app is not None:
            wish.app.prepare(self._engine, self._place, gate)
        # Only through a gate can be seen which containers have had their turn.
        remove_leftovers(self._engine, poll(self._engine, self._place), progress)
        history = poll(self._engine, self._place)
        done = self._address_of(door)
        serving = history.serving
        if serving is not None and (serving.release, serving.wish) == (
            parcel.digest,
            wish.name(image),
        ):
            self._stop_others(history, str(serving.container.id), progress)
            if not Trial.of(options).share:
                trials.forget(serving.container)
            return Deployed(parcel.digest, "unchanged", done, sent)
        held = self._match(history, parcel, wish.name(image))
        containers = Containers(self._engine, self._place, progress)
        container = held.container if held else containers.make(parcel, image, wish)
        switch = _Switch(self._engine, containers, trials, progress)
        try:
            facts = switch.run(container, parcel, wish, Trial.of(options), history.serving)
        except BaseException as error:
            self._roll_back(container, held, progress)
            if held is None and isinstance(error, TakenBack):
                self._engine.remove_image(self._place.image(parcel.digest))
            raise
        self._stop_others(history, str(container.id), progress)
        remove_old(self._engine, self._place, poll(self._engine, self._place), int(options["keep"]))
        facts = {**facts, "image": image, "gate": gate.name}
        return Deployed(parcel.digest, "serving", done, sent, facts)

    def _images(
        self, parcel: Parcel, spec: ImageSpec, folder: Path, progress: Progress
    ) -> tuple[str, int]:
        """Bring the images; the release's ID and the bytes that were sent."""
        base = find_base(self._engine, spec, folder, progress)
        require_libraries(self._engine, parcel, base)
        image = build_image(parcel, spec, base, folder, progress)
        gate = build_gate(parcel, spec.user, base, folder)
        supply = ImageLoader(self._engine, folder, progress)
        supply.bring(image, self._place.image(parcel.digest))
        if self._engine.image(self._place.gate_image) is None:
            supply.bring(gate, self._place.gate_image)
        return image.id, supply.bytes_sent

    def _match(self, history: ReleaseHistory, parcel: Parcel, wish: str) -> ContainerRelease | None:
        """Return an earlier container of this release with the same settings."""
        found = (one for one in history.held if (one.release, one.wish) == (parcel.digest, wish))
        return next(found, None)

    def _roll_back(
        self, container: Container, held: ContainerRelease | None, progress: Progress
    ) -> None:
        """Restore the previous state; log what cannot be removed, with the reason."""
        try:
            if held is None or not held.running:
                self._engine.stop(container)  # it may have been stopped already
            if held is None:
                self._engine.remove(container)
        except TargetError as error:
            progress.log(error.message)

    def _stop_others(self, history: ReleaseHistory, serving: str, progress: Progress) -> None:
        for one in history.held:
            if one.running and one.container.id != serving:
                progress.progress(0, 0, "The previous release finishes its requests")
                self._engine.stop(one.container)

    def promote(self, progress: Progress) -> Deployed:
        raise TargetError(
            "There is no canary: a container engine serves one release at a time.",
            hint="Use a cluster or a cloud for canaries.",
        )

    def rollback(self, to: str | None, progress: Progress) -> Deployed:
        trials = Trials(self._engine, self._place, progress)
        history = poll(self._engine, self._place)
        if history.gate is None or not history.gate_runs:
            raise TargetError(f"docker:{self._place.name} has no running release.")
        done = self._address_of(Listener.read(history.gate))
        again = trials.end(history)
        if again is not None and to is None:
            self._stop_others(history, str(again.container.id), progress)
            return Deployed(again.release, "serving", done)
        history = poll(self._engine, self._place)
        held = _chosen(history.before(), to)
        containers = Containers(self._engine, self._place, progress)
        try:
            containers.try_out(held.container, 120)
        except BaseException:
            if not held.running:
                self._engine.stop(held.container)
            raise
        containers.give_turn(held.container, held.release, held.by)
        trials.forget(held.container)
        self._stop_others(history, str(held.container.id), progress)
        return Deployed(held.release, "serving", done)

    def releases(self) -> Sequence[PlatformRelease]:
        return poll(self._engine, self._place).releases()

    def reach(self) -> PublishedPort | None:
        history = poll(self._engine, self._place)
        if history.gate is None or not history.gate_runs:
            raise TargetError(f"docker:{self._place.name} has no running release.")
        door, serving = Listener.read(history.gate), history.serving
        guarded = serving is not None and serving.guarded
        return PublishedPort(
            self._host(door), door.port, token_at(self._engine, history.gate, guarded)
        )

    def infer(self, request: bytes, head_length: int) -> tuple[bytes, int]:
        raise TargetError("The server of a container is asked at its port.")

    def measure(self) -> Measurement | None:
        return None

    def logs(self, lines: int) -> Iterator[str]:
        history = poll(self._engine, self._place)
        found = history.serving or max(history.held, key=lambda one: one.since, default=None)
        return iter(self._engine.logs(found.container, lines) if found else ())

    def remove(self, purge: bool, progress: Progress) -> Sequence[Resource]:
        gate = poll(self._engine, self._place).gate
        if gate is not None and gate.status == "running":
            Trials(self._engine, self._place, progress).forget(gate)
        stop_all(self._engine, self._place, progress)
        if purge:
            remove_all(self._engine, self._place, progress)
        return self.resources()

    def resources(self) -> Sequence[Resource]:
        return list_resources(self._engine, self._place)

    def close(self) -> None:
        self._engine.close()

    def _address_of(self, door: Listener) -> str:
        return f"http://{self._host(door)}:{door.port}"

    def _host(self, door: Listener) -> str:
        """Return the host from here: another machine's ports are at that machine's name."""
        if door.host in ("0.0.0.0", "::", "127.0.0.1", "localhost"):
            return self._address.host
        return door.host


class _Switch:
    """Switch of the clients to one release."""

    def __init__(
        self, engine: Engine, containers: Containers, trials: Trials, progress: Progress
    ) -> None:
        self._engine = engine
        self._containers = containers
        self._trials = trials
        self._progress = progress

    def run(
        self,
        container: Container,
        parcel: Parcel,
        wish: ContainerSpec,
        trial: Trial,
        serving: ContainerRelease | None,
    ) -> Mapping[str, Any]:
        """Test the release next to the serving one, then switch for good or for a trial."""
        facts = self._containers.try_out(container, wish.wait_s)
        self._progress.check()
        self._progress.log("The new release answers correctly. Switching to it")
        # A release compared with itself (with other limits) gives no information.
        same = serving is not None and serving.release == parcel.digest
        if trial.seconds is not None and not same:
            return {**facts, "soak": self._trials.run(container, parcel, trial, serving)}
        compared = None if same or not trial.share else serving
        if compared is not None:
            self._trials.lay_out(compared)
        self._containers.give_turn(container, parcel.digest, parcel.owner)
        if compared is not None:
            self._trials.compare(container, parcel, trial, compared)
        elif not same:
            self._trials.forget(container)
        return facts


def _user() -> str:
    """Return the local user's name, because an engine has no users of its own."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return str(os.getuid())


def _chosen(found: Sequence[ContainerRelease], to: str | None) -> ContainerRelease:
    """Return the release to roll back to.

    Raises:
        TargetError: when no such release exists.
    """
    if to is None:
        if not found:
            raise TargetError("No earlier release to roll back to.")
        return found[0]
    for one in found:
        if str(one.version) == to or (len(to) >= 6 and one.release.startswith(to)):
            return one
    known = ", ".join(f"version {one.version}" for one in found) or "none"
    raise TargetError(f"There is no earlier release {to}.", hint=f"Kept: {known}.")
