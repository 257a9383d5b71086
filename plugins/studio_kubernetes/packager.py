"""Manifests as a packager: the export without a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from studio.api import Kind, Option, Parcel, Progress, Refused, UsageError
from studio_kubernetes.manifests.apps import check_app
from studio_kubernetes.manifests.config_maps import maps_of
from studio_kubernetes.manifests.desired_state import DesiredWorkload, manifests
from studio_kubernetes.manifests.export import FORMS, write
from studio_kubernetes.manifests.generation import check_generation
from studio_kubernetes.manifests.model_images import check_model_image
from studio_kubernetes.manifests.names import LONGEST, is_label, is_service_name, suggest
from studio_kubernetes.manifests.validation import problems
from studio_kubernetes.manifests.workload import WorkloadName, workload_of
from studio_kubernetes.options import DEPLOY_OPTIONS

_ONLY_IN_A_CLUSTER = {"force", "judge_s"}

OPTIONS = (
    Option(
        "form",
        Kind.CHOICE,
        "plain",
        title="Form",
        choices=("plain", "kustomize", "helm"),
        choice_titles=("YAML files", "Kustomize base and overlay", "Helm chart"),
    ),
    Option("name", title="Name", help="Of every object; by default made of the model's."),
    Option("namespace", default="default", title="Namespace"),
    *(option for option in DEPLOY_OPTIONS if option.name not in _ONLY_IN_A_CLUSTER),
)

_MAIN = {"plain": "deployment.yaml", "kustomize": "base/kustomization.yaml", "helm": "Chart.yaml"}


class ManifestsPackager:
    """Writes what ``deploy`` would apply into files."""

    id = "manifests"
    title = "Kubernetes manifests"
    options = OPTIONS

    def build(
        self, parcel: Parcel, output: Path, options: Mapping[str, Any], progress: Progress
    ) -> Mapping[str, Any]:
        place = _place(parcel.name, options)
        maps = maps_of(parcel, place, str(options["bundle"]))
        settings = {**options, "force": False, "judge_s": 0}
        workload = workload_of(
            parcel, settings, place, maps.names if maps else (), maps.files if maps else None
        )
        check_app(workload)
        check_model_image(workload)
        check_generation(workload.options)
        if found := problems(manifests(DesiredWorkload(workload))):
            raise Refused(found[0], detail="\n".join(found[1:]))
        progress.progress(0, 1, "Writing the manifests")
        form = str(options["form"])
        files = FORMS[form](workload, maps.manifests if maps else ())
        main = _MAIN[form] if _MAIN[form] in files else next(iter(files))
        return {
            "path": str(output / main),
            "bytes": write(files, output),
            "files": sorted(files),
        }


def _place(model: str, options: Mapping[str, Any]) -> WorkloadName:
    name = str(options["name"] or suggest(model))
    if not is_service_name(name) or len(name) > LONGEST:
        raise UsageError(
            f"Kubernetes does not allow the name {name!r}.", hint=f"Say {suggest(name)!r} perhaps."
        )
    namespace = str(options["namespace"] or "default")
    if not is_label(namespace):
        raise UsageError(f"A namespace cannot be named {namespace!r}.")
    return WorkloadName(name, namespace)
