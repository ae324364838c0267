"""Widgets of the chapters: each function returns a ``Stage``; ``your_song``, an upload with its result."""

# Three of these functions are named like their files. Imported eagerly, the function is what the package's name holds.
from drumbook.widgets.encoder_layers import encoder_layers
from drumbook.widgets.generation import threshold_and_temperature
from drumbook.widgets.humanizing import humanize_strength
from drumbook.widgets.latent_walk import latent_walk
from drumbook.widgets.your_song import your_song

__all__ = ["encoder_layers", "humanize_strength", "latent_walk", "threshold_and_temperature", "your_song"]
