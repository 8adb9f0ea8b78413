"""Compression of pages. A stream passes untouched: gzip would hold its events back until a buffer is full."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PageGZipMiddleware(GZipMiddleware):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming:
            return response
        assert isinstance(response, HttpResponse)
        return super().process_response(request, response)
