"""The kernel: what every package may import and that imports none of them."""

__version__ = "0.1.0"
