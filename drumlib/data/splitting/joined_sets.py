"""Windows of several collections joined, with training kept apart from what is held out."""
