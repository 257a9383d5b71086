"""Heavy rigs, whole machines beside the studio: for ``make integration``, not ``make test``."""
