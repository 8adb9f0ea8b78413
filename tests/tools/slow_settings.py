"""The site's settings, with a tool that never ends in the place of one that does."""

from chatsite.settings import *  # noqa: F403
from chatsite.settings import TOOLS

TOOLS["current_time"] = {"TOOL": "tests.tools.samples.hangs", "TIMEOUT": 600}
