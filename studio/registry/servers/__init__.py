"""The registry of several studios: PostgreSQL for its rows, a shared store for its files."""
