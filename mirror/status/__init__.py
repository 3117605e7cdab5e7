"""How the show is, for people, for Prometheus and for whoever asks only whether it is well.

``health`` judges the vital signs, ``tally`` follows them, ``metrics`` and ``page`` tell them,
``server`` serves it all, read only. Nothing here can reach into the show but one wish: a small
copy of the picture on its screen.
"""
