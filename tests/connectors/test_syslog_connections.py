"""Connections are bounded: one too many is closed at once, and the others go on."""

import asyncio

from watchword.connectors.syslog import Listener, SyslogServer
from watchword.ingest.ports import Receipt


def test_one_too_many_is_turned_away():
    kept = []

    def accept(source, items, *rest):
        kept.extend(item.body for item in items)
        return Receipt(len(items), 0)

    async def until(count):
        while len(kept) < count:  # noqa: ASYNC110 - the records come from a worker thread
            await asyncio.sleep(0.01)

    async def run():
        server = SyslogServer(accept, [Listener(source="fw", transport="tcp", host="127.0.0.1", port=0)], connections=2)
        await server.start()
        try:
            first = [await asyncio.open_connection("127.0.0.1", server.ports[0]) for _ in range(2)]
            for _, writer in first:
                writer.write(b"<13>1 - - - - - - x\n")
                await writer.drain()
            await until(2)
            reader, writer = await asyncio.open_connection("127.0.0.1", server.ports[0])
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
            first[0][1].write(b"<13>1 - - - - - - y\n")
            await first[0][1].drain()
            await until(3)
            assert server.tallies()["fw/tcp"].turned_away == 1
            for _, each in first:
                each.close()
        finally:
            await server.stop()

    asyncio.run(asyncio.wait_for(run(), 20))
