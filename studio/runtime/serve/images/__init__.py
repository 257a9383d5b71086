"""Pictures in requests: decoded, prepared as the bundle defines, answered with labels."""
