"""Plans by word: one sentence about several things, one question, one telling of the outcome."""
