"""Precision and devices."""
