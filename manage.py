#!/usr/bin/env python
"""Run the site's management commands."""

from chatsite.__main__ import main

if __name__ == "__main__":
    main()
