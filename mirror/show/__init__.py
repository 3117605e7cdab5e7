"""The show, where the stages meet, and what only it needs.

Read in this order:

- ``plan``: what a run will do, decided before anything is opened; ``run``: one run of it;
- ``show``: the loop, the one place where the stages meet;
- ``rig``: all that it drives, opened in the order in which it must be;
- ``audience``: who is before the screen, through which ``eyes``;
- ``piece_time``: the piece's own time; ``course``: what the river does in it;
- ``hanging``: which portraits hang on the screen; ``ladder``: what is left out under load;
- ``recollection``: the river that was saved; ``recording``: the session that is recorded;
  ``outputs``: film and stills;
- ``steering``: keys, show control, opening hours; ``ports``: the doors to the outside;
- ``telling``: what the show says of itself.

Nothing is imported here: ``show`` brings every stage with it.
"""
