"""Positions and lags on the grid of sixteenths."""
