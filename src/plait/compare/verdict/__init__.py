"""Whether fusion is worth it, which kind, and what carries it: the rules and the sentences."""
