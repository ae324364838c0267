"""drumbook: what the book's chapters and ``bench/`` use, and ``drumlib`` itself does not.

It imports from ``drumlib``; ``drumlib`` never imports from here (``make house`` checks it).

- ``drumbook.bands``: piano, guitar and bass composed to a drummer's performance;
- ``drumbook.critic``: a network that tells generated drums from recorded ones, and training against it;
- ``drumbook.claims``: statements about real drumming, tested on networks and baselines;
- ``drumbook.window_trial``: networks and baselines compared on windows;
- ``drumbook.listening_test``: a blind listening test that runs in a page;
- ``drumbook.widgets``: what the chapters let a reader play with.
"""
