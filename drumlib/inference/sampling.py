"""From a network's outputs to a groove: thresholds and sampling."""
