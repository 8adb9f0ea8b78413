"""What tools were told and said, as Markdown for the reasoning of an answer."""

import re

LONGEST = 20_000  # characters
_FENCE = re.compile("`+")


def fenced(label: str, text: str) -> str:
    """Return a text as a block of code that nothing in it can end; "" for none."""
    text = text.strip()
    if not text:
        return ""
    cut = text[:LONGEST] + ("\n…" if len(text) > LONGEST else "")
    fence = "`" * max([3, *(len(run) + 1 for run in _FENCE.findall(cut))])
    return f"{label}\n\n{fence}\n{cut}\n{fence}"
