"""The listening socket answers without the 40 ms that Nagle's delay costs, and takes connections from the moment it is announced."""

import asyncio
import socket

from watchword.app.settings import read_settings
from watchword.cli.serving import listening_socket


def test_an_accepted_connection_sends_without_delay(tmp_path):
    bound = listening_socket(read_settings(environment={}, overrides={"data": tmp_path, "listen_port": 0}))
    seen = []

    async def answer(reader, writer):
        del reader
        seen.append(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()
        await writer.wait_closed()

    async def ask():
        async with await asyncio.start_server(answer, sock=bound):
            reader, writer = await asyncio.open_connection(*bound.getsockname())
            await reader.read()
            writer.close()
            await writer.wait_closed()

    asyncio.run(ask())
    assert seen[0] != 0
