"""Text of others, made harmless to show: on a terminal or on a page."""


def printable(text: str) -> str:
    """Escape what a terminal would obey, or a reader would not see: controls, escapes, bidirectional marks.

    Does not escape markup: whoever makes HTML of it sets it as text.
    """
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
