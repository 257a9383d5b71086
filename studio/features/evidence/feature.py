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
)
