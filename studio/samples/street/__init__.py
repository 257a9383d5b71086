"""The composed street of the sample ``traffic``: what happens, how it looks, what is true."""
