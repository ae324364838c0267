"""Other people's songs, where there are some: each is read, or refused with a reason, and loses nothing on the way."""

import numpy as np

from drumlib.data.song_folder import read_table
from drumlib.music import Grid, MidiError, groove_from_notes, groove_of, notes_from_groove, read_song, song_from_bytes
from drumlib.music import song_to_bytes as to_bytes

EVERY = 25  # of many hundred songs, so many are passed over for one that is read


def test_real_songs(shared_data):
    names = [row["file"] for row in read_table(shared_data / "songs.csv")][::EVERY]
    read = 0
    for name in names:
        try:
            song = read_song(shared_data / name)
        except MidiError as error:
            assert name.split("/")[-1] in str(error) and len(str(error)) > len(str(shared_data / name)) + 5
            continue
        read += 1
        assert song_from_bytes(to_bytes(song)) == song, name
        grid = Grid(song)
        groove = groove_of(song, grid)
        again = groove_from_notes(notes_from_groove(groove, grid), grid)
        np.testing.assert_array_equal(again.hits, groove.hits * grid.played[:, None], err_msg=name)
        np.testing.assert_allclose(again.velocities, groove.velocities * grid.played[:, None], atol=1e-6, err_msg=name)
    assert read > 0.9 * len(names)
