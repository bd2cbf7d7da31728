"""How modules learn: the only room that owns an optimiser."""
