"""What a model wrote as a title, made into one line of plain text. It is hostile until then."""

import re
import unicodedata

MOST_WORDS = 8  # a model that was asked for six is not held to it by force
MOST_CHARACTERS = 80
THOUGHT = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
TAG = re.compile(r"</?[a-z!][^<>]*>", re.IGNORECASE)
LINK = re.compile(r"!?\[([^\[\]]*)\]\(\S*\)")
LABEL = re.compile(r"^title\s*[:：]\s*", re.IGNORECASE)
QUOTES = "\"'“”„‟«»‹›‘’‚「」『』"
JOINERS = "\u200c\u200d"  # within words of Persian, Hindi and others, and within emoji


def title_in(text: str) -> str:
    """Return the title that a model wrote, without markup and quotes; "" where it wrote none."""
    text = TAG.sub(" ", THOUGHT.sub("", text[:20_000]))
    lines = (plain(line) for line in text.splitlines())
    return shortened(next((line for line in lines if is_visible(line)), ""))


def plain(line: str) -> str:
    """Return a line of Markdown as plain text, with nothing in it that reorders or hides."""
    line = "".join(" " if character.isspace() else character for character in line if is_plain(character))
    line = LINK.sub(r"\1", line).replace("**", "").replace("__", "").replace("`", "")
    line = LABEL.sub("", " ".join(line.split()).lstrip("#>-*_ ")).rstrip("*_ ")
    while len(line) > 1 and line[0] in QUOTES and line[-1] in QUOTES:
        line = line[1:-1].strip()
    return line.removesuffix("。") if line.endswith("。") else re.sub(r"(?<!\.)\.$", "", line)


def is_plain(character: str) -> bool:
    if character.isspace() or character in JOINERS:
        return True
    return character != "\N{REPLACEMENT CHARACTER}" and not unicodedata.category(character).startswith("C")


def is_visible(line: str) -> bool:
    return any(unicodedata.category(character)[0] in "LNPS" for character in line)


def shortened(line: str) -> str:
    words = line.split()
    short = " ".join(words[:MOST_WORDS])
    if len(short) > MOST_CHARACTERS:
        cut = short[:MOST_CHARACTERS]
        short = cut.rpartition(" ")[0] or cut
    return short if short == line else short.rstrip(".,;:") + "…"
