"""The papers' experiments: public data, explicit protocols, every number with its seeds."""
