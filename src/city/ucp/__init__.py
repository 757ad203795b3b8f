"""UCP 2026-04-08 over REST as the City's merchants speak it, from the specification alone."""
