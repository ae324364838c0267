"""Adam for layer-wise training."""
