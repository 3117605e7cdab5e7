"""How the show is, for people, for Prometheus and for whoever asks only whether it is well.

``vitals``: the show's own word, once for each presented picture (``gpu``: the graphics card's
memory). ``health`` judges it, ``tally`` follows it, ``metrics`` and ``page`` tell it, ``server``
serves it all, read only. ``journal`` is the log on disk. Nothing here can reach into the show but
one wish: a small copy of the picture on its screen.
"""
