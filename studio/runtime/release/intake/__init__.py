"""Reception of a release: stream, stage, environment, signature."""
