"""Pictures read, written and drawn on by the runtime."""
