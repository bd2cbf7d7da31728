"""SKEW PAIRS: which layer of one encoder to join with which layer of another."""
