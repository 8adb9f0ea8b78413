"""What cannot be read, in sentences for the person.

Refusal
├── FileRefused   the file as a whole, from here on
└── Refused       one conversation; the others are read
"""


class Refusal(Exception):
    """Its text is a sentence for the person."""


class FileRefused(Refusal):
    pass


class Refused(Refusal):
    pass
