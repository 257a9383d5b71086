"""The Monitor page: fleet, alerts, quality, drift."""
