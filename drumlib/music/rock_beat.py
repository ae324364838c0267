"""The thesis's one-bar rock beat (4.4)."""
