"""Apps: from a camera to an event, made, tested and deployed with their models."""

from studio.feature_host import Feature

FEATURE = Feature(
    commands={"app": "create, check, run and test apps: from camera to event"},
    adds={
        "apps": ("desk_apps:APPS",),
        "options of steps": ("allow_code", "app"),
    },
    files=(
        "docs/app-parts.md",
        "docs/apps.md",
        "packaging/app_reference.py",
        "packaging/screenshots_app.py",
        "tests/e2e/test_evidence_app.py",
        "tests/integration/apps",
        "tests/rigs/street.py",
    ),
)
