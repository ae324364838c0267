"""Weights files: plain arrays in an .npz, checksums and model cards. No Keras."""
