"""For people who write methods: the contract that every method keeps."""

from plait.testing.checks import check_method

__all__ = ["check_method"]
