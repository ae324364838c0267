"""Evaluation: predictions under one protocol, metrics, baselines, confidence intervals."""
