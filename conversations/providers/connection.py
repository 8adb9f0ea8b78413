"""What adapters have in common that speak over HTTP: one endpoint, the connections kept open to it, and its errors as ours.

The client is the OpenAI SDK's: under its resources it is a plain one for any address, with aiohttp below it and an error by
type for each status. Nothing is retried here: an attempt that failed is accounted for, and the engine decides what comes next.
"""

import asyncio
import ssl
from collections.abc import Mapping
from functools import cache, cached_property
from typing import Any, ClassVar

import httpx2
import msgspec
import openai

from .attempt import Attempt
from .base import ChatRequest, Endpoint
from .errors import Malformed, ProviderError, Unavailable
from .faults import fault_of
from .fold import Fold

NO_KEY = "none"  # local servers need no key, the SDK does
MODELS_PATIENCE = 30.0  # seconds
# The transport leaves out a limit of None and aiohttp then takes its own, 100; aiohttp's word for "no limit" is 0.
LIMITS = httpx2.Limits(max_connections=0, max_keepalive_connections=100, keepalive_expiry=30)


@cache
def ssl_context() -> ssl.SSLContext:
    """One for all endpoints: reading the certificates takes the event loop a tenth of a second."""
    return httpx2.create_ssl_context()


class ConnectedAdapter:
    """One endpoint that is reached over HTTP. A protocol says where it is asked, with what body, and how its events are read."""

    path: ClassVar[str]
    models_path: ClassVar[str] = "/models"
    fold: ClassVar[type[Fold]]
    headers: ClassVar[Mapping[str, str]] = {"Accept-Encoding": "identity"}  # a compressor holds tokens back
    request_id_header: ClassVar[str] = "x-request-id"

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    @property
    def base_url(self) -> str:
        return self.endpoint.base_url

    @cached_property
    def client(self) -> openai.AsyncOpenAI:
        connect = self.endpoint.connect_timeout
        # aiohttp counts the look-up of the name by `pool`; without it a dead name server is waited for in vain.
        timeout = httpx2.Timeout(None, connect=connect, pool=connect)
        client = openai.AsyncOpenAI(
            base_url=self.base_url,
            api_key=self.endpoint.api_key.strip() or NO_KEY,
            max_retries=0,
            timeout=timeout,
            http_client=openai.DefaultAioHttpClient(limits=LIMITS, timeout=timeout, verify=ssl_context()),
        )
        # The SDK takes OPENAI_ORG_ID, OPENAI_PROJECT_ID and OPENAI_CUSTOM_HEADERS along to every provider: secrets of one told to all.
        client.organization = client.project = None
        client._custom_headers = self.headers
        return client

    def body_of(self, request: ChatRequest) -> dict[str, Any]:
        """Return the body of a request, which is sent as it is."""
        raise NotImplementedError

    def stream(self, request: ChatRequest) -> Attempt:
        return Attempt(self, request)

    async def open(self, request: ChatRequest) -> openai.AsyncStream[object]:
        """Send `request` and return the response once its head is here; raises what the SDK and its transport raise."""
        body = self.body_of(request)
        return await self.client.post(self.path, cast_to=object, body=body, stream=True, stream_cls=openai.AsyncStream[object])

    def request_id_in(self, response: httpx2.Response) -> str:
        return response.headers.get(self.request_id_header, "")[:200]

    async def list_models(self) -> list[str]:
        """Return the model ids the provider offers, sorted; raises ProviderError."""
        try:
            async with asyncio.timeout(min(self.endpoint.first_token_timeout, MODELS_PATIENCE)):
                response = await self.client.get(self.models_path, cast_to=httpx2.Response)
        except TimeoutError:
            raise Unavailable("no list of models in time") from None
        except Exception as error:
            raise self.fault(error, Unavailable) from error
        return model_ids(response.content)

    async def aclose(self) -> None:
        if "client" in self.__dict__:
            await self.client.close()

    def fault(self, error: Exception, unexpected: type[ProviderError]) -> ProviderError:
        """Return our error for one of the SDK's or of its transport; no detail ever holds the key."""
        fault = fault_of(error, unexpected)
        return type(fault)(self.endpoint.without_key(fault.detail), retry_after=fault.retry_after)


def model_ids(body: bytes) -> list[str]:
    """Return the ids in the answer of GET /models, sorted; Together's is a bare list."""
    try:
        document = msgspec.json.decode(body)
        models = document["data"] if isinstance(document, dict) else document
        return sorted({model["id"] for model in models if isinstance(model["id"], str)})
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise Malformed("no list of models") from error
