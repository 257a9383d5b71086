"""Plan, roll out, list and roll back releases on targets."""
