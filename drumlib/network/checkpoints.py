"""Checkpoints of training."""
