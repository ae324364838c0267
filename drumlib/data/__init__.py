"""From songs to what a network learns from. Nothing here needs Keras."""
