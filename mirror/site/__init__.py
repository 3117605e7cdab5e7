"""The site: what one room, one screen and one camera need that others do not.

``site`` reads and writes the site file, whose tables are the dataclasses of ``mirror.settings``.
``keystone`` and ``hours`` are two of its values that have a meaning of their own.
"""
