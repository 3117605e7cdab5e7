"""The show, where the stages meet, and what only it needs.

``plan``: what a run will do, decided before anything is opened. ``show``: the loop. ``eyes``: where
sitters come from. ``ladder``: what is left out when the machine cannot carry it all.
``recollection``: the river that was saved. ``outputs``: film and stills. ``ports``: the doors to
the outside. Nothing is imported here: ``show`` brings every stage with it.
"""
