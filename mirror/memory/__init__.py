"""The river's memory: what outlasts a restart.

``memory`` saves the state about once a second and reads it again. ``sketches`` paints the saved
portraits anew before torch has been loaded. The show takes both up in ``show/recollection.py``.
"""
