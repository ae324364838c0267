"""A folder of MIDI files as songs to train, validate and test on: its table ``songs.csv``, or splits by content."""
