"""The technician's package: what a site needs so that the piece runs there.

It reads and checks the site file; the settings themselves are the program's, ``mirror.settings``.
"""
