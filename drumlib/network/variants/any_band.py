"""Pooling: a band of any number of tracks, of any family, heard by one encoder.

The thesis wished for it (3.3): its network has three doors, and a song with two guitars, or with strings, must leave
some of its music outside. Here all tracks come in by one door. One encoder hears each of them, told which family it
belongs to; then the tracks are pooled, feature by feature, by their mean and their maximum. Neither cares how many
there are, nor in which order they come (deep sets: Zaheer et al. 2017). Letters as in ``layers.py``, and N tracks.
"""

import keras
from keras import ops

from drumlib.music.kit import FAMILIES
from drumlib.network.layers import Encoder

OTHER = len(FAMILIES)
"""The number of the family of all that is neither piano (0), guitar (1) nor bass (2)."""


class MultiTrackEncoder(Encoder):
    """Hears a whole band. Made like the encoder of one instrument, and of an embedding of the four families.

    The family is added before the LSTMs, so that they can listen to a bass otherwise than to a piano. A track without
    a note counts as absent.
    """

    def __init__(self, filters=(32, 64), units=200, stacked=1, **options):
        super().__init__(filters, units, stacked, **options)
        self.family = keras.layers.Embedding(OTHER + 1, filters[1], name="family")

    def build(self, shape):
        super().build(shape)
        self.family.build((None,))

    def encoder_states(self, tracks, families, present):
        """What was heard, moment by moment: the mean over the tracks, and the maximum, each (B, M, 400).

        ``tracks`` (B, N, T, 128) are piano rolls, ``families`` (B, N) numbers from 0 to 3, ``present`` (B, N) is 0
        where a track is only padding. Of a band that is all silent nothing is heard: zeros.
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
        # An LSTM says nothing below -1. So an absent track, set to -1, is never the maximum, unless all are absent.
        most = ops.max(sounds * (x + 1), axis=1) - ops.minimum(count, 1)  # (B, M, 400)
        return [mean, most]


def tracks_of(band):
    """A band as ``any_band`` hears it: rolls (B, N, T, 128), families (B, N), which tracks are there (B, N).

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
