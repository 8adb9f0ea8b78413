"""A person's data: everything out, conversations in, what is shared."""

from django.conf import settings
from django.http import HttpResponse
from django.views.decorators.http import require_GET

from conversations.transfer.formats import FORMATS

from .pages import page
from .requests import SignedInRequest, signed_in

IMPORTS_SHOWN = 10


@require_GET
@signed_in
def show(request: SignedInRequest) -> HttpResponse:
    return data_page(request)


def data_page(request: SignedInRequest, status: int = 200, error: str = "") -> HttpResponse:
    """`error` is why a file was not taken."""
    imports = request.user.imports.all()[:IMPORTS_SHOWN]
    return page(request, "data.html", status, formats=FORMATS, imports=imports, error=error, most=settings.IMPORT_MAX_MB)
