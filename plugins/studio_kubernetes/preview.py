"""Preview of a deploy: a server-side dry run of each object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from studio.api import Action, Preview, TargetError
from studio_kubernetes.cluster.client import ClusterUnreachable
from studio_kubernetes.cluster.kinds import BY_KIND, LLM_SERVICE, OF_KSERVE, QUOTA, ROUTE
from studio_kubernetes.cluster.objects import Key, Objects, steps, with_replicas
from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.documents import difference, file_names, to_yaml
from studio_kubernetes.manifests.generation import generation_of, loading_s, memory_of
from studio_kubernetes.manifests.network import is_open
from studio_kubernetes.manifests.quantities import parse_quantity
from studio_kubernetes.manifests.validation import problems
from studio_kubernetes.manifests.workload import Json, Workload

METRICS = "/apis/custom.metrics.k8s.io"


class Previewer:
    """Compares what is wanted with what is there."""

    def __init__(self, objects: Objects) -> None:
        self._objects = objects
        self._cluster = objects.cluster

    def preview(self, wanted: DesiredWorkload, extra: Sequence[Json] = ()) -> Preview:
        """Return the actions and documents.

        Args:
            extra: ConfigMaps that come before.
        """
        objects = [*extra, *manifests(wanted)]
        live = self._objects.live()
        by_key = {(one["kind"], one["metadata"]["name"]): one for one in objects}
        force = bool(
            wanted.stable.options["force"] or (wanted.canary or wanted.stable).options["force"]
        )
        actions = [Action("rules", text, "blocked") for text in problems(manifests(wanted))]
        actions += self._lacking(wanted)
        differences = []
        for what, key in steps(objects, live):
            action, changes = self._step(what, key, by_key.get(key), live.get(key), force)
            actions.append(action)
            differences.append(changes)
        actions += [*self._quota(wanted), *_notes(wanted)]
        files = {name: to_yaml(one) for name, one in file_names(manifests(wanted)).items()}
        return Preview(
            tuple(actions),
            {**files, "changes.diff": "".join(differences)},
            cost_note="A cluster's price is not known to the studio.",
        )

    def _step(
        self, what: str, key: Key, manifest: Json | None, live: Json | None, force: bool
    ) -> tuple[Action, str]:
        text = f"{what} {key[0]} {key[1]}"
        if manifest is None:
            return Action(what, text), difference(live, None)
        try:
            self._objects.refuse_strangers([manifest])
            tried = with_replicas(manifest, live)
            after = self._cluster.apply(BY_KIND[key[0]], tried, force=force, dry_run=True)
        except ClusterUnreachable:
            raise
        except TargetError as error:
            return Action(what, error.message, "blocked", error.hint), ""
        changes = difference(live, after)
        if live is not None and not changes:
            return Action(what, f"{key[0]} {key[1]} is so already", "skipped"), ""
        return Action(what, text), changes

    def _lacking(self, wanted: DesiredWorkload) -> list[Action]:
        """Return the components that the cluster lacks."""
        options = wanted.stable.options
        found = []
        if options["gateway"] and not self._cluster.serves(ROUTE):
            text = "The cluster has no Gateway API."
            hint = "Leave the gateway out: a canary then gets its part by the number of pods."
            found.append(Action("gateway", text, "blocked", hint))
        kind = OF_KSERVE.get(wanted.stable.kind)
        if kind is not None and not self._cluster.serves(kind):
            hint = "Install it, or deploy with --set kind=deployment."
            text = "The cluster has no KServe."
            if kind is LLM_SERVICE:
                text = f"The cluster has no KServe with {kind.kind} ({kind.api})."
            found.append(Action("kserve", text, "blocked", hint))
        scaled = wanted.stable.autoscaled and options["scale_on"] != "cpu" and kind is None
        if scaled and not self._cluster.knows(METRICS):
            text = "Nothing in the cluster offers custom metrics, so nothing would be scaled."
            hint = "Install prometheus-adapter, or scale on the CPU."
            found.append(Action("autoscaling", text, "warning", hint))
        return found

    def _quota(self, wanted: DesiredWorkload) -> list[Action]:
        try:
            quotas = self._cluster.find(QUOTA)
        except ClusterUnreachable:
            raise
        except TargetError:
            return []  # who may not read quotas learns of them from the rollout
        serving = self._objects.serving().stable
        if serving:  # its pods are counted in the quota already, and pods come one at a time
            need = demand(wanted.canary, 1) if wanted.canary else demand(wanted.stable, 1)
        else:
            need = demand(wanted.stable, int(wanted.stable.options["replicas"]))
        if serving in (wanted.stable.release,) and wanted.canary is None:
            return []
        hint = "Ask for less, or have the quota raised."
        return [Action("quota", text, "blocked", hint) for text in shortages(quotas, need)]


def demand(workload: Workload, replicas: int) -> dict[str, Decimal]:
    """Return the quota that a number of replicas needs."""
    memory, memory_limit = memory_of(workload.options)
    options = {**workload.options, "memory": memory, "memory_limit": memory_limit}
    need = {"pods": Decimal(replicas)}
    for quota, option in _QUOTAS.items():
        if options.get(option):
            try:
                need[quota] = parse_quantity(str(options[option])) * replicas
            except ValueError:
                continue  # the rules have said so
    return need


_QUOTAS = {
    "requests.cpu": "cpu",
    "cpu": "cpu",
    "requests.memory": "memory",
    "memory": "memory",
    "limits.cpu": "cpu_limit",
    "limits.memory": "memory_limit",
    "requests.nvidia.com/gpu": "gpus",
}


def shortages(quotas: Sequence[Json], need: Mapping[str, Decimal]) -> list[str]:
    """Return one sentence for each quota with too little left."""
    found = []
    for quota in quotas:
        status = quota.get("status") or {}
        hard, used = status.get("hard") or {}, status.get("used") or {}
        for name, wanted in need.items():
            if name not in hard:
                continue
            left = parse_quantity(hard[name]) - parse_quantity(used.get(name, "0"))
            if wanted > left:
                found.append(
                    f"The quota {quota['metadata']['name']!r} has no room for it: {name} is "
                    f"limited to {hard[name]}, {used.get(name, '0')} of it used."
                )
    return found


def _notes(wanted: DesiredWorkload) -> list[Action]:
    found = []
    if wanted.canary is not None and wanted.traffic != wanted.percent:
        text = (
            f"Without a gateway the pods share the requests: the canary gets about "
            f"{wanted.traffic} %, not {wanted.percent} %."
        )
        hint = "Give --set gateway=NAME, or more replicas."
        found.append(Action("canary", text, "warning", hint))
    elif wanted.canary is not None and not wanted.stable.options["gateway"]:
        found.append(Action("canary", "The pods share the requests in proportion.", "checked"))
    if wanted.canary and wanted.canary.options["gateway"] != wanted.stable.options["gateway"]:
        text = "The way to the target stays that of the serving release while a canary is judged."
        found.append(Action("gateway", text, "warning", "Deploy it with the gateway first."))
    if is_open(wanted.stable) and not wanted.stable.options.get("token_secret"):
        text = "Whoever reaches the address may ask the model: no token is asked for."
        hint = "Make a Secret with a key 'token' and give --set token_secret=NAME."
        found.append(Action("access", text, "warning", hint))
    image = (wanted.canary or wanted.stable).image
    if "@" not in image and image.rpartition("/")[2].partition(":")[2] in ("", "latest"):
        text = f"The image {image} has no tag of its own: the same name may mean another tomorrow."
        found.append(Action("image", text, "warning", "Name it as {name}:{version}."))
    return [*found, *_language_notes(wanted.canary or wanted.stable)]


def _language_notes(workload: Workload) -> Iterator[Action]:
    """Yield what is worth knowing of a language model before it is deployed."""
    options, facts = workload.options, generation_of(workload.options)
    if not facts:
        return
    memory, limit = memory_of(options)
    request = f"{facts['slots']} slots of {facts['context']:,} tokens, {memory} of memory"
    if facts["memory_mb"]:
        yield Action("memory", f"{request}, at most {limit or 'what the node has'}", "checked")
    else:
        text = f"The memory of this backend is not predicted; {memory} is twice its files."
        hint = "Measure it, and give --set memory=... and --set memory_limit=..."
        yield Action("memory", text, "warning", hint)
    if workload.autoscaled and options["scale_on"] == "cpu":
        text = "One answer takes all processors of a replica: CPU usage shows no lack of slots."
        yield Action("autoscaling", text, "warning", "Give --set scale_on=waiting.")
    if (longest := loading_s(options)) > int(options["timeout_s"]):
        text = f"A slow disk may take {longest} s to load the model, longer than the timeout."
        yield Action("loading", text, "warning", f"Give --set timeout_s={longest}.")
