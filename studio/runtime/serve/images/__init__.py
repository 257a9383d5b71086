"""Pictures in requests: decoded, prepared as the bundle says, answered with labels."""
