"""The endpoint of a release: its client, calls, labels, telemetry and uncertain samples."""
