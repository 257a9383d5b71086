"""A small fake of a Kubernetes API server with one node. Not the real thing.

It follows the API's documented contract as far as the plugin uses it: paths, lists by labels,
optimistic versions, server-side apply with field managers, dry runs, watches, the scale
subresource, quotas, logs and port-forward. What it answers was compared with the real server by
running the same tests against both (tests/integration/kubernetes); where they differ the real one
is right. Its node runs the real runtime, so that requests are really answered.
"""

from tests.rigs.kubernetes.fake import FakeCluster, kubeconfig

__all__ = ["FakeCluster", "kubeconfig"]
