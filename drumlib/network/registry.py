"""Every kind of network by the name of its preset."""
