"""Spread: long steps on other computers, by ``--on ADDRESS``."""

from studio.feature_host import Feature

FEATURE = Feature(
    adds={
        "executors of jobs": ("executors:Executors",),
        "programs of nodes": ("task_node:main",),
        "steps ahead of pipelines": ("ahead:TasksAhead",),
    },
    files=(
        "docs/spread.md",
        "tests/benchmarks/bench_spread.py",
        "tests/integration/kubernetes/test_jobs.py",
        "tests/integration/spread",
        "tests/plugins/test_studio_kubernetes_jobs.py",
        "tests/plugins/test_studio_ray_session.py",
        "tests/rigs/kubernetes/task_nodes.py",
        "tests/rigs/spread",
    ),
)
