#!/usr/bin/env python3
"""Measures agents with the real program and a model by script: scripts/bench-agents.py [PROGRAM].

How long the first piece of a reply takes from the model to the client, what a turn costs beside the model, and what
500 WebSocket sessions that wait cost in memory. PostgreSQL as scripts/setup.sh installs it; standard library only.
"""

import asyncio
import base64
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "target/release/retailcast").resolve()
PORT, MODEL_PORT = 8313, 8314
SESSIONS, TURNS = 500, 200
REPLY = json.dumps({"summary": "There is nothing to report today, and it was said in a few words."})
# When the scripted model sent the first piece of a reply, in order.
sent = []


async def model(reader, writer):
    """OpenAI's chat completions: one reply, streamed or whole."""
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = int(next(line.split(":")[1] for line in head.lower().split("\r\n") if line.startswith("content-length")))
            body = json.loads(await reader.readexactly(length))
            usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
            if not body.get("stream"):
                message = {"role": "assistant", "content": REPLY}
                text = json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage})
                writer.write(f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(text)}\r\n\r\n{text}".encode())
                await writer.drain()
                continue
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            pieces = [REPLY[i : i + 20] for i in range(0, len(REPLY), 20)]
            events = [{"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]} for piece in pieces]
            events += [{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}, {"choices": [], "usage": usage}]
            for i, event in enumerate([json.dumps(event) for event in events] + ["[DONE]"]):
                text = f"data: {event}\n\n"
                writer.write(f"{len(text):x}\r\n{text}\r\n".encode())
                await writer.drain()
                if i == 0:
                    sent.append(time.perf_counter())
            writer.write(b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
        writer.close()


class Socket:
    """As much of a WebSocket client as is needed here."""

    @classmethod
    async def connect(cls):
        self = cls()
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", PORT)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(f"GET /agents/stream HTTP/1.1\r\nhost: localhost\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
                          f"sec-websocket-key: {key}\r\nsec-websocket-version: 13\r\n\r\n".encode())
        assert b" 101 " in await self.reader.readuntil(b"\r\n\r\n")
        return self

    def send(self, message):
        text = json.dumps(message).encode()
        assert len(text) < 65536
        length = bytes([0x80 | len(text)]) if len(text) < 126 else bytes([0xFE]) + len(text).to_bytes(2, "big")
        # A mask of zeros leaves the text as it is.
        self.writer.write(b"\x81" + length + bytes(4) + text)

    async def frame(self):
        while True:
            kind, length = await self.reader.readexactly(2)
            if length == 126:
                length = int.from_bytes(await self.reader.readexactly(2), "big")
            elif length == 127:
                length = int.from_bytes(await self.reader.readexactly(8), "big")
            text = await self.reader.readexactly(length)
            if kind & 0x0F == 1:
                return json.loads(text)

    async def turn(self, session_id):
        """When the first piece came, when the turn ended."""
        self.send({"session_id": session_id, "message": "Anything new?"})
        first = None
        while True:
            frame = await self.frame()
            if frame["event_type"] == "text_delta" and first is None:
                first = time.perf_counter()
            if frame["event_type"] == "complete":
                return first, time.perf_counter()
            assert frame["event_type"] == "text_delta", frame


def call(method, path, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", PORT)
    connection.request(method, path, None if body is None else json.dumps(body), {"content-type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status < 300, (answer.status, content)
    return json.loads(content)


def opened():
    return call("POST", "/agents/sessions", {"agent_type": "experiment"})["session_id"]


def resident(process):
    lines = Path(f"/proc/{process.pid}/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


def tell(what, asked, measured):
    print(f"{what:<66} {asked:>12} {measured:>26}")


async def measure(process):
    server = await asyncio.start_server(model, "127.0.0.1", MODEL_PORT)
    session, socket = await asyncio.to_thread(opened), await Socket.connect()
    firsts, turns = [], []
    for i in range(TURNS):
        # A long history costs more than a turn does: a new one every twenty turns.
        session = await asyncio.to_thread(opened) if i % 20 == 0 else session
        begun = time.perf_counter()
        first, end = await socket.turn(session)
        firsts.append((first - sent[-1]) * 1e3)
        turns.append((end - begun) * 1e3)
    p99 = lambda numbers: sorted(numbers)[int(len(numbers) * 0.99)]
    tell("first text delta after the model sent it", "5 ms", f"{statistics.median(firsts):.2f} ms, p99 {p99(firsts):.2f}")
    tell("a whole turn with a model that answers at once", "10 ms", f"{statistics.median(turns):.2f} ms, p99 {p99(turns):.2f}")

    before = resident(process)
    sockets = [await Socket.connect() for _ in range(SESSIONS)]
    sessions = [await asyncio.to_thread(opened) for _ in range(SESSIONS)]
    begun = time.perf_counter()
    await asyncio.gather(*(socket.turn(session) for socket, session in zip(sockets, sessions)))
    took = time.perf_counter() - begun
    await asyncio.sleep(3)
    each = (resident(process) - before) / SESSIONS
    tell(f"{SESSIONS} WebSocket sessions, a turn each at the same time", "no error", f"none, {took:.2f} s")
    tell("memory of the server per session that is idle afterwards", "100 KiB", f"{each:.0f} KiB")
    server.close()


def main():
    folder = Path(tempfile.mkdtemp(prefix="retailcast-bench-"))
    folder.chmod(0o755)
    environment = {**os.environ, "LOG_LEVEL": "WARNING", "OPENAI_BASE_URL": f"http://127.0.0.1:{MODEL_PORT}/v1",
                   "OPENAI_API_KEY": "scripted", "AGENT_DEFAULT_MODEL": "openai:scripted", "AGENT_FALLBACK_MODEL": ""}
    binaries = ROOT / ".retailcast/postgres/bin"
    if binaries.is_dir():
        environment["DATABASE_EMBEDDED_BIN_DIR"] = str(binaries)
    process = subprocess.Popen([PROGRAM, "serve", "--port", str(PORT)], cwd=folder, env=environment, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            try:
                call("GET", "/health/ready")
                break
            except (OSError, AssertionError):
                time.sleep(0.1)
        asyncio.run(measure(process))
    finally:
        process.terminate()
        process.wait()
        shutil.rmtree(folder)


main()
