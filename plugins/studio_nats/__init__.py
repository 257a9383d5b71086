"""State of boards from NATS servers."""
