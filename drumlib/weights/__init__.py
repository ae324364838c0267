"""Trained weights, one file a preset, each with its model card."""
