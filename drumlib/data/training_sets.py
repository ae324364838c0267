"""Training and validation windows from folders and corpora."""
