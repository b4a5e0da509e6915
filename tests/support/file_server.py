"""HTTP server of test files that misbehaves as real servers do."""

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Files:
    """Files to serve, faults of the server, and the requests it had.

    drops      bytes after which the connection is cut, for the next responses in turn
    errors     (code, headers) to respond with instead, for the next requests in turn
    """

    content: dict[str, bytes]
    etag: str | None = '"one"'
    modified: str | None = None
    ranges: bool = True
    heeds: bool = True  # If-Range
    kind: str = "application/octet-stream"
    shift: int = 0  # offset of the start of a range from the requested one
    says_length: bool = True
    drops: list[int] = field(default_factory=list)
    errors: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    asked: list[tuple[str, str | None]] = field(default_factory=list)  # path, Range
    sent: int = 0  # bytes of bodies
    url: str = ""


@contextmanager
def serving(files: Files) -> Iterator[Files]:
    """``files`` at ``files.url`` until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, files)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    files.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield files
    finally:
        server.shutdown()
        server.server_close()


def _answer(handler: BaseHTTPRequestHandler, files: Files) -> None:
    requested = handler.headers.get("Range")
    files.asked.append((handler.path, requested))
    if files.errors:
        code, headers = files.errors.pop(0)
        return _head(handler, code, {**headers, "Content-Length": "0"})
    whole = files.content.get(handler.path.lstrip("/"))
    if whole is None:
        return _head(handler, 404, {"Content-Length": "0"})
    start = int(re.fullmatch(r"bytes=(\d+)-", requested)[1]) if requested and files.ranges else 0
    condition = handler.headers.get("If-Range")
    if files.heeds and condition is not None and condition not in (files.etag, files.modified):
        start = 0
    if start >= len(whole) > 0:
        return _head(handler, 416, {"Content-Range": f"bytes */{len(whole)}"})
    start += files.shift if start else 0
    body = whole[start:]
    headers = {"Content-Type": files.kind}
    if files.says_length:
        headers["Content-Length"] = str(len(body))
    if files.etag:
        headers["ETag"] = files.etag
    if files.modified:
        headers["Last-Modified"] = files.modified
    if start:
        headers["Content-Range"] = f"bytes {start}-{len(whole) - 1}/{len(whole)}"
    _head(handler, 206 if start else 200, headers)
    if files.drops:
        body = body[: files.drops.pop(0)]
    files.sent += len(body)
    handler.wfile.write(body)
    handler.close_connection = True


def _head(handler: BaseHTTPRequestHandler, code: int, headers: Mapping[str, str]) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
