"""The Fleet page: many boards of a broker, plans that wait for approval, rollouts in time."""
