"""A very cheap server that speaks streamed chat completions, for load tests; one clock tick writes all tokens that are due.

    python -m bench.fake_provider --port 9101

Each request says in its model id what it wants: "fake:rate=30,tokens=300,ttft=0.2". All that may be said:

    rate=30 tokens=300 ttft=0.2    tokens a second, how many, seconds before the first
    paragraph=60                   tokens in a paragraph
    plain=1                        five letters a token, in place of a stamp
    usage=0  done=0                no usage chunk, no [DONE]
    silent=1  stall=50             never a token; none after the 50th
    cut=50                         the connection is cut after 50 tokens
    error=429 retry=2              an HTTP error, with Retry-After
    html=1                         an HTML page with status 200

A token is "t<index>:<microseconds> ", microseconds of this machine's monotonic clock when it was written: a client on the
same machine subtracts it from its own `time.monotonic_ns() // 1000`. Markdown leaves it as it is. GET /stats counts streams.
GET /streams/17/begun and /streams/17/closed answer when the 17th stream begins, or its client closes the connection, with that moment.
"""

import argparse
import asyncio
import json
import sys

from bench.pace import Answer, Clock
from bench.plan import Plan


class Connection(asyncio.Protocol):
    """One HTTP/1.1 connection, kept alive from request to request."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.received = clock, b""
        self.answer: Answer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer:
            self.clock.end(self.answer)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
        if separator and len(body) >= length:
            self.received = body[length:]
            self.respond(head, body[:length])

    def respond(self, head: bytes, body: bytes) -> None:
        path = head.split(b" ", 2)[1]
        if path.endswith(b"/chat/completions"):
            self.respond_to_prompt(Plan.of(json.loads(body)["model"]))
        elif path.endswith(b"/models"):
            self.send(200, b'{"object":"list","data":[{"id":"fake:rate=30,tokens=300,ttft=0.2","object":"model"}]}')
        elif path.endswith(b"/stats"):
            self.send(200, self.clock.stats.as_json())
        elif b"/streams/" in path:
            self.clock.marks.when(path.rpartition(b"/streams/")[2].decode(), lambda moment: self.send(200, b'{"at":%d}' % moment))
        else:
            self.send(404, b'{"error":{"message":"no such path"}}')

    def respond_to_prompt(self, plan: Plan) -> None:
        if plan.error:
            retry = f"Retry-After: {plan.retry:g}\r\n" if plan.retry else ""
            self.send(plan.error, b'{"error":{"message":"as you wished"}}', headers=retry)
        elif plan.html:
            self.send(200, b"<!doctype html><title>Sign in</title>", kind="text/html")
        else:
            self.answer = self.clock.begin(plan, self.transport)

    def send(self, status: int, body: bytes, *, kind: str = "application/json", headers: str = "") -> None:
        head = f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\n{headers}Content-Length: {len(body)}\r\n\r\n"
        self.transport.write(head.encode() + body)


async def serve(host: str, port: int) -> None:
    clock = Clock()
    server = await asyncio.get_running_loop().create_server(lambda: Connection(clock), host, port, backlog=2048)
    sys.stdout.write(f"fake provider on http://{host}:{server.sockets[0].getsockname()[1]}/v1\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    parser = argparse.ArgumentParser(description="A cheap stand-in for a provider.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one and prints it")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.host, options.port))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
