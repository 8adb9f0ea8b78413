"""Where a block of raw HTML begins and what ends it (CommonMark 0.31.2, section 4.6). It is shown as text, but it must be found."""

import re

_HTML_ENDS = (  # kinds 1 to 5
    (re.compile(r" {0,3}<(?:script|pre|style|textarea)(?:[ \t>]|$)", re.I), re.compile(r"</(?:script|pre|style|textarea)>", re.I)),
    (re.compile(r" {0,3}<!--"), re.compile("-->")),
    (re.compile(r" {0,3}<\?"), re.compile(r"\?>")),
    (re.compile(r" {0,3}<![A-Za-z]"), re.compile(">")),
    (re.compile(r" {0,3}<!\[CDATA\["), re.compile(r"\]\]>")),
)
_HTML_BLOCK = re.compile(
    r" {0,3}</?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt"
    r"|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem"
    r"|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul)"
    r"(?:[ \t]|/?>|$)",
    re.I,
)
_HTML_TAG = re.compile(
    r" {0,3}<(?:[A-Za-z][A-Za-z0-9-]*(?:[ \t]+[A-Za-z_:][\w.:-]*(?:[ \t]*=[ \t]*(?:[^\s\"'=<>`]+|'[^']*'|\"[^\"]*\"))?)*[ \t]*/?"
    r"|/[A-Za-z][A-Za-z0-9-]*[ \t]*)>[ \t]*$"
)


def begins_raw_html(line: str, *, interrupting: bool = False) -> tuple[bool, re.Pattern[str] | None]:
    """Whether a line begins raw HTML (`interrupting` a paragraph), and what ends it; None is a blank line."""
    if "<" not in line[:4]:
        return False, None
    for start, end in _HTML_ENDS:
        if start.match(line):
            return True, end
    return bool(_HTML_BLOCK.match(line) or (not interrupting and _HTML_TAG.match(line))), None
