"""HTTP on asyncio for the load: one kept connection per `Wire`, to a relay that comes and goes."""
import asyncio

from .wire import Answer, parse_head, request_bytes


class Lost(Exception):
    """The connection ended before the whole answer: nobody knows what the relay did."""


class World:
    """Where the relay is now. `port` is None while it is down; `generation` counts its starts."""

    def __init__(self):
        self.port, self.generation, self.up = None, 0, asyncio.Event()
        self.sending = True  # callers make new messages
        self.draining = False  # agents make no more trouble on purpose
        self.done = False
        self.on_ack = None  # called at each acknowledged send
        self.tasks = []  # what is running in it

    def set_up(self, port):
        self.port, self.generation = port, self.generation + 1
        self.up.set()

    def set_down(self):
        self.up.clear()

    async def wait_up(self):
        await self.up.wait()


class Wire:
    def __init__(self, world, token=None, scheme="bearer"):
        self.world, self.reader, self.writer, self.generation = world, None, None, -1
        self.headers = {}
        if token:
            bearer = {"Authorization": f"Bearer {token}"}
            self.headers = bearer if scheme == "bearer" else {"X-Relay-Key": token}

    def close(self):
        if self.writer:
            self.writer.close()
        self.writer = None

    async def call(self, method, path, body=None, headers=None, timeout=60, waits=True):
        """Waits until the relay is up, sends, and returns the answer; raises Lost."""
        if waits:
            await self.world.wait_up()
        try:
            async with asyncio.timeout(timeout):
                if self.writer is None or self.generation != self.world.generation:
                    self.close()
                    self.generation = self.world.generation
                    self.reader, self.writer = await asyncio.open_connection(
                        "127.0.0.1", self.world.port, limit=1 << 22)
                self.writer.write(request_bytes(method, path, body, self.headers | (headers or {})))
                return await self._answer()
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            self.close()
            raise Lost(str(error) or type(error).__name__) from error
        except asyncio.CancelledError:
            self.close()
            raise

    async def _answer(self):
        status, headers = parse_head(await self.reader.readuntil(b"\r\n\r\n"))
        if headers.get("transfer-encoding") == "chunked":
            body = b""
            while (size := int(await self.reader.readuntil(b"\r\n"), 16)) > 0:
                body += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readuntil(b"\r\n")
        else:
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        if headers.get("connection", "").lower() == "close":
            self.close()
        return Answer(status, headers, body)
