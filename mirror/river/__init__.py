"""The river stage: visits come in, the state of all parcels goes out, step by step.

``river`` holds the state and its law. ``streams``: the bed, and who is beside whom. ``source``:
what flows in when nobody is there. ``sway``: which visitor pulls which parcel. ``water``: all that
ever happens to latents and dye. Pure, deterministic float32 numpy: time is an argument.
"""
