"""`{% address 'name' key %}`: what `{% url 'name' key %}` gives, for the templates of which a page shows forty.

Django's own searches the patterns at each call: a page of a long conversation asks for three hundred addresses, and took a fifth of
its time for them.
"""

from functools import cache

from django import template
from django.urls import reverse

register = template.Library()
ANY_KEY = 1234567890


@register.simple_tag
def address(name: str, key: int) -> str:
    before, behind = parts_of(name)
    return f"{before}{key:d}{behind}"


@cache
def parts_of(name: str) -> tuple[str, str]:
    """What stands before and behind the key."""
    before, _, behind = reverse(name, args=[ANY_KEY]).partition(str(ANY_KEY))
    return before, behind
