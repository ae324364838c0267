"""drumlib: give it a song with piano, guitar and bass, and it returns the song with a drummer on it.

The package behind *The Drummer's Book*. Its rooms, each built only on those above it in this list:

- ``drumlib.music``: songs, MIDI files, the grid of sixteenths, the nine drums, songs of our own;
- ``drumlib.data``: from songs to training windows;
- ``drumlib.network``: the network, its losses and its training (the first room that needs Keras);
- ``drumlib.drummer``: song in, song with drums out;
- ``drumlib.evaluation`` and ``drumlib.display``: scores, sound and players;
- ``drumlib``: all of it from the command line.

``import drumlib`` is quick: Keras is imported only when a network is first used.
"""

__version__ = "0.1.0"
