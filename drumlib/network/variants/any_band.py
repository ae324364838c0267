"""Encoder for any number of tracks of any family (thesis, 3.3), pooled over tracks.

One encoder reads each track with an embedding of its family; the states are pooled by their mean and their maximum
over the tracks, which depend neither on the number of tracks nor on their order (deep sets: Zaheer et al. 2017).
Letters as in ``layers.py``, and N tracks.
"""

import keras
from keras import ops

from drumlib.music.kit import FAMILIES
from drumlib.network.layers import Encoder

OTHER = len(FAMILIES)
"""The family number of a track that is neither piano (0), guitar (1) nor bass (2)."""


class MultiTrackEncoder(Encoder):
    """Encoder of all tracks of a band: the encoder of one instrument, with an embedding of the four families.

    The embedding is added before the LSTMs. A track without a note counts as absent.
    """

    def __init__(self, filters=(32, 64), units=200, stacked=1, **options):
        super().__init__(filters, units, stacked, **options)
        self.family = keras.layers.Embedding(OTHER + 1, filters[1], name="family")

    def build(self, shape):
        super().build(shape)
        self.family.build((None,))

    def encoder_states(self, tracks, families, present):
        """Mean and maximum of the states over the tracks, each (B, M, 400); zeros for a band without a note.

        ``tracks`` (B, N, T, 128) are piano rolls, ``families`` (B, N) numbers from 0 to 3, ``present`` (B, N) is 0
        where a track is only padding.
        """
        batch, number = ops.shape(tracks)[0], tracks.shape[1]
        rolls = ops.reshape(tracks, (-1, *tracks.shape[2:]))  # (B, N, T, 128) -> (B * N, T, 128)
        family = ops.reshape(self.family(families), (-1, 1, self.bar.filters))  # (B, N) -> (B * N, 1, 64)
        x = self.recurrent_states(self.convolve(rolls) + family)  # (B * N, M, 64) -> (B * N, M, 400)
        x = ops.reshape(x, (batch, number, *x.shape[1:]))  # (B, N, M, 400)
        sounds = ops.any(tracks > 0, axis=(2, 3)) & (present > 0)  # (B, N)
        sounds = ops.cast(sounds, x.dtype)[:, :, None, None]  # (B, N, 1, 1)
        count = ops.sum(sounds, axis=1)  # (B, 1, 1)
        mean = ops.sum(sounds * x, axis=1) / ops.maximum(count, 1)  # (B, M, 400)
        # An LSTM's output is above -1. So an absent track, set to -1, is never the maximum, unless all are absent.
        most = ops.max(sounds * (x + 1), axis=1) - ops.minimum(count, 1)  # (B, M, 400)
        return [mean, most]


def tracks_of(band):
    """The inputs of ``MultiTrackEncoder``: rolls (B, N, T, 128), family numbers (B, N), presence (B, N).

    A band given as piano, guitar and bass has three tracks.
    """
    if "tracks" in band:
        tracks = ops.cast(band["tracks"], "float32")
        families = ops.cast(band["families"], "int32")
        present = ops.cast(band["present"], "float32") if "present" in band else ops.ones_like(families)
        return tracks, families, present
    tracks = ops.stack([ops.cast(band[family], "float32") for family in FAMILIES], axis=1)  # (B, 3, T, 128)
    there = ops.ones_like(tracks[:, :, 0, 0], dtype="int32")  # (B, 3)
    return tracks, there * ops.arange(len(FAMILIES), dtype="int32"), there
