"""Evidence: groups, robustness, explanations, dossiers, incidents, and their pages."""

from studio.feature_host import Feature

FEATURE = Feature(
    commands={
        "evidence": "write and verify evidence about a version; frameworks, screening, answers",
        "incidents": "keep incidents of models, with the clock of a report",
    },
    adds={
        "links of monitor": ("pages.link:LINK",),
        "results of stages": ("pages.stage_result:RESULT",),
        "tools for agents": ("agent_tool:LIST_EVIDENCE",),
    },
    files=(
        "docs/evidence.md",
        "docs/explanations.md",
        "docs/frameworks.md",
        "docs/groups.md",
        "docs/incidents.md",
        "docs/notices.md",
        "packaging/screenshots_evidence.py",
        "resources/frameworks",
        "tests/benchmarks/bench_evidence_bytes.py",
        "tests/benchmarks/bench_evidence_page.py",
        "tests/benchmarks/bench_explanations.py",
        "tests/benchmarks/bench_intervals.py",
        "tests/benchmarks/explanations",
        "tests/e2e/test_evidence.py",
        "tests/e2e/test_evidence_app.py",
        "tests/e2e/test_evidence_folder.py",
        "tests/e2e/test_explain.py",
        "tests/e2e/test_groups.py",
        "tests/e2e/test_incidents.py",
        "tests/e2e/test_notice.py",
        "tests/integration/evidence",
        "tests/rigs/changed_bytes.py",
        "tests/rigs/evidence_results.py",
    ),
)
