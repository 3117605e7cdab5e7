"""``python -m mirror``."""

from __future__ import annotations

import sys

from mirror.cli import main

if __name__ == "__main__":
    sys.exit(main())
