"""From songs to training data: windows, splits, corpora. Nothing here imports Keras."""
