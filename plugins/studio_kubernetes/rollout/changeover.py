"""Change of the serving release: applied, watched, and rolled back on failure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from studio.api import Cancelled, Progress, Silent, TargetError
from studio_kubernetes.cluster.kinds import DEPLOYMENT, OF_KSERVE
from studio_kubernetes.cluster.objects import Objects
from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.workload import Json, Workload
from studio_kubernetes.rollout.watcher import RolloutFailed, Watcher

Check = Callable[[Workload, str], None]
"""Raises RolloutFailed when the pods of a track do not serve a workload's release."""


_ABSENCE_S = 30.0
"""Seconds without the API (an upgrade, a lost link) after which a change is given up."""


_LEFT = (
    "What was begun could not be taken back and is still in the cluster: "
    "repeat the deploy when it answers again, or undeploy."
)


class Changeover:
    """From what served before to what is wanted.

    Args:
        before: What to go back to; None where nothing served.
        check: Looks at what the new pods really serve.
    """

    def __init__(self, objects: Objects, before: DesiredWorkload | None, check: Check) -> None:
        self._objects = objects
        self._before = before
        self._check = check

    def run(self, wanted: DesiredWorkload, extra: Sequence[Json], progress: Progress) -> int:
        """Make the change.

        Args:
            extra: ConfigMaps to be applied first.

        Returns:
            Bytes that were sent.

        Raises:
            TargetError: in one sentence, after what served before was put back.
        """
        with self._objects.cluster.bearing(_ABSENCE_S):
            return self._run(wanted, extra, progress)

    def _run(self, wanted: DesiredWorkload, extra: Sequence[Json], progress: Progress) -> int:
        newest = wanted.canary or wanted.stable
        force = bool(newest.options["force"])
        objects = [*extra, *manifests(wanted)]
        # No request is led to a canary that is not ready yet.
        then = [one for one in objects if wanted.canary and one["kind"] == "HTTPRoute"]
        first = [one for one in objects if one not in then]
        try:
            self._objects.refuse_strangers(objects)
            sent = self._objects.apply(first, force, progress)
            self._wait(wanted, progress)
            sent += self._objects.apply(then, force, progress)
            self._objects.prune(manifests(wanted))
        except RolloutFailed as error:
            raise self._rollback_error(newest, error) from None
        except Cancelled:
            self._go_back()
            raise
        except TargetError as error:
            if self._go_back():
                raise
            raise TargetError(error.message, hint=_LEFT, detail=error.detail) from None
        return sent

    def _wait(self, wanted: DesiredWorkload, progress: Progress) -> None:
        place = wanted.stable.place
        newest = wanted.canary or wanted.stable
        watcher = Watcher(self._objects, float(newest.options["timeout_s"]))
        if wanted.stable.kind in OF_KSERVE:
            kind = OF_KSERVE[wanted.stable.kind]
            watcher.wait(kind, place.name, newest.release, progress)
            return
        watcher.wait(DEPLOYMENT, place.name, wanted.stable.release, progress)
        if wanted.canary is not None:
            watcher.wait(DEPLOYMENT, place.canary, wanted.canary.release, progress)
        self._check(newest, "canary" if wanted.canary else "stable")

    def _rollback_error(self, failed: Workload, error: RolloutFailed) -> TargetError:
        name = f"Version {failed.version} of {failed.model} did not become ready: {error.reason}"
        if not self._go_back():
            return TargetError(
                f"{name}.",
                hint=_LEFT,
                detail=error.detail,
            )
        if self._before is None:
            text = "Nothing served before, and what was made was removed again."
        else:
            text = f"Version {self._before.stable.version} serves on."
        return TargetError(f"{name}.", hint=text, detail=error.detail)

    def _go_back(self) -> bool:
        """Put back what served; its pods are there still, so nothing has to be waited for."""
        try:
            if self._before is None:
                self._objects.remove(False, Silent())
                return True
            objects = manifests(self._before)
            self._objects.apply(objects, True, Silent())
            self._objects.prune(objects)
        except TargetError:
            return False
        return True
