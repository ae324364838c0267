"""Metrics of drum grooves. Each module states its conventions first; what is undefined is nan.

- ``hits``: accuracy, precision, recall, F1 of hits; by drum, by step of the bar, with tolerance; errors of velocity and
  offset;
- ``groove``: density, syncopation, swing, laid-back timing, spreads, ghost notes, accents;
- ``form``: self-similarity, fills and where they stand, crashes, loops;
- ``ensemble``: kick with bass, backbeat, hats with the band's subdivision, density following the band's;
- ``sets``: overlap and divergence of two sets of bars, nearest bars, diversity of performances;
- ``record``: all of them for one song.
"""

from drumlib.evaluation.metrics.ensemble import backbeat, density_following, hats_with_subdivision, kick_with_bass
from drumlib.evaluation.metrics.form import (
    crashes,
    fills,
    fills_at_phrase_ends,
    loop_length,
    mean_self_similarity,
    self_similarity,
    similarity,
)
from drumlib.evaluation.metrics.groove import accents, density, ghost_notes, laid_back, spreads, swing, syncopation
from drumlib.evaluation.metrics.hits import (
    Confusion,
    HitScores,
    by_drum,
    by_position,
    confusion,
    error_on_played,
    errors_on_shared,
    f1,
    hit_scores,
    tolerant_f1,
)
from drumlib.evaluation.metrics.record import song_record
from drumlib.evaluation.metrics.sets import divergence, diversity, features, nearest_bars, overlap

__all__ = [
    "HitScores",
    "Confusion",
    "accents",
    "hit_scores",
    "backbeat",
    "by_drum",
    "by_position",
    "confusion",
    "crashes",
    "density",
    "density_following",
    "divergence",
    "diversity",
    "error_on_played",
    "errors_on_shared",
    "f1",
    "features",
    "fills",
    "fills_at_phrase_ends",
    "ghost_notes",
    "hats_with_subdivision",
    "kick_with_bass",
    "laid_back",
    "loop_length",
    "mean_self_similarity",
    "nearest_bars",
    "overlap",
    "self_similarity",
    "similarity",
    "song_record",
    "spreads",
    "swing",
    "syncopation",
    "tolerant_f1",
]
