"""`python -m errorbudget`."""

from __future__ import annotations

import sys

from errorbudget.cli import main

if __name__ == "__main__":
    sys.exit(main())
