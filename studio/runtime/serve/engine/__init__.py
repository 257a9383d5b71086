"""Models in memory: sessions, execution, batching, tuning."""
