"""What playing needs, in numpy: inputs, sampling, calibration, weights files. Nothing here imports Keras."""
