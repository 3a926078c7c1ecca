"""What the graphs of the gallery call: stand-ins on this machine."""

import asyncio
import contextlib
import socketserver
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypedDict

from aiosmtpd.handlers import Sink
from aiosmtpd.smtp import SMTP
from langgraph.graph import START, StateGraph

from workflows.catalog import Context


@dataclass(frozen=True)
class World:
    """http: the address of a server that takes everything. mail, tcp: ports. open: what is closed
    at the end."""

    http: str
    mail: int
    tcp: int
    redis: str
    directory: Path
    open: contextlib.ExitStack

    @property
    def database(self) -> Path:
        return self.directory / "data.db"


class State(TypedDict, total=False):
    """What the graphs of the gallery keep."""

    answer: Any
    amount: int
    items: list[str]
    kept: Any


@dataclass(frozen=True)
class Piece:
    """One graph of the gallery. rules: what is found in it, each by name. at: where the finding
    is marked in the code by `# here`."""

    name: str
    make: Callable[[World], Any]
    rules: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    decisions: tuple[Any, ...] = ()


class Gallery(list[Piece]):
    """Pieces, each under the name of what makes it."""

    def shows(
        self, *rules: str, allow: tuple[str, ...] = (), decisions: tuple[Any, ...] = ()
    ) -> Callable[[Any], Any]:
        """The graph of the function below."""

        def keep(make: Any) -> Any:
            self.append(Piece(make.__name__, make, rules, allow, decisions))
            return make

        return keep


def chain(*nodes: Any, state: type = State) -> Any:
    """One node after the other."""
    graph: Any = StateGraph(state, context_schema=Context)
    before = START
    for node in nodes:
        graph.add_node(node.__name__, node)
        graph.add_edge(before, node.__name__)
        before = node.__name__
    return graph


class _Takes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # a connection that is kept open

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


class _Swallows(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while self.request.recv(1000):
            pass


@contextlib.contextmanager
def _served(server: socketserver.BaseServer) -> Generator[int, None, None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        address: Any = server.server_address
        yield address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.asynccontextmanager
async def world_at(directory: Path, redis: str) -> AsyncGenerator[World, None]:
    loop = asyncio.get_running_loop()
    mail = await loop.create_server(lambda: SMTP(Sink()), "127.0.0.1", 0)
    web = ThreadingHTTPServer(("127.0.0.1", 0), _Takes)
    tcp = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Swallows)
    web.daemon_threads = tcp.daemon_threads = True
    with contextlib.ExitStack() as stack, _served(web) as web_port, _served(tcp) as tcp_port:
        address, mail_port = f"http://127.0.0.1:{web_port}", mail.sockets[0].getsockname()[1]
        try:
            yield World(address, mail_port, tcp_port, redis, directory, stack)
        finally:
            stack.close()
            mail.close()
            await mail.wait_closed()
