"""The limit: the bytes of the provider, passed on by aiohttp as they come. Nothing in Python that looks at an answer can cost less."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

URL = os.environ["PROVIDER_URL"] + "/chat/completions"
client = web.AppKey("client", ClientSession)


async def chat(request: web.Request) -> web.StreamResponse:
    asked = await request.json()
    body = {"model": asked["model"], "messages": [{"role": "user", "content": asked["prompt"]}], "stream": True}
    async with request.app[client].post(URL, json=body) as upstream:
        passed_on = web.StreamResponse(status=upstream.status, headers={"Content-Type": upstream.content_type})
        await passed_on.prepare(request)
        with suppress(ConnectionResetError):  # who asked has left
            async for piece in upstream.content.iter_any():
                await passed_on.write(piece)
        return passed_on


async def up(request: web.Request) -> web.Response:
    return web.Response()


async def one_client(app: web.Application) -> AsyncIterator[None]:
    async with ClientSession(connector=TCPConnector(limit=0), timeout=ClientTimeout(total=None)) as app[client]:
        yield


if __name__ == "__main__":
    app = web.Application()
    app.cleanup_ctx.append(one_client)
    app.add_routes([web.get("/", up), web.post("/chat", chat)])
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
