"""Keys of rows, as addresses, forms and files name them: what stands there may be anything."""

LARGEST_KEY = 2**63 - 1  # a URL may hold a longer number; a database raises for it


def key_in(field: object) -> int:
    """The key that a field names; 0 for what is none."""
    text = str(field)
    number = int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else 0
    return number if number <= LARGEST_KEY else 0
