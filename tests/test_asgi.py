"""What is neither a page nor a stream is refused without a traceback."""

from channels.testing import WebsocketCommunicator

from chatsite.asgi import router


async def test_a_websocket_is_refused() -> None:
    is_connected, _ = await WebsocketCommunicator(router, "/").connect()
    assert not is_connected
