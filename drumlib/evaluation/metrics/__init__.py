"""The instruments by which a drummer is judged, small functions that a statistician and a musician can both read.

- ``hits``: do two drummers strike the same drums on the same steps? Accuracy, precision, recall, F1; by drum, by place
  in the bar, with tolerance; errors of loudness and timing;
- ``groove``: density, syncopation, swing, laid-back-ness, spreads, ghost notes, accents;
- ``form``: what repeats, fills and where they stand, crashes, loops;
- ``ensemble``: kick with bass, backbeat, hats with the band's subdivision, density following the band's;
- ``sets``: are many bars of one drummer like many bars of another? Is it a copy? Are two performances alike?
- ``record``: one record of all of them for one song.
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
    hit_scores,
    tolerant_f1,
)
from drumlib.evaluation.metrics.record import evaluate
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
    "evaluate",
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
    "spreads",
    "swing",
    "syncopation",
    "tolerant_f1",
]
