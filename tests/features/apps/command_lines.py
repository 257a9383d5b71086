"""Command lines of apps, for the tests that try every command."""

LINES = {
    "app": [
        ("app new gate", (0,)),
        ("app check gate", (1,)),
        ("app run gate", (1,)),
        ("app variables local", (1,)),
    ],
}
WITHOUT_A_STEP = ()
