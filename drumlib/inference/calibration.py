"""Calibration of probabilities that the thesis's weighted loss biases."""
