"""Privacy, made provable: what is computed, kept and sent, told from a site's own settings.

``facts`` reads the settings; ``statement`` tells them to a technician, ``words`` and ``notice`` to
visitors; ``trace`` watches a run and tells what it really wrote and whom it really spoke to.
"""
