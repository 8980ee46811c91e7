# A server of a small text protocol and its clients in one event loop: coroutines that are suspended for each message.
import asyncio

PAYLOAD = b"abcdefghijklmnopqrstuvwxyz" * 5


def parse(line):
    fields = {}
    for part in line.decode().strip().split(";"):
        name, _, value = part.partition("=")
        name = name.strip()
        if not name:
            continue
        if value.isdigit():
            value = int(value)
        fields[name] = value
    return fields


def checksum(text):
    total = 0
    for character in text:
        total = (total * 31 + ord(character)) & 0xFFFF
    return total


def answer(fields):
    parts = []
    for name in sorted(fields):
        value = fields[name]
        if isinstance(value, int):
            value += 1
        parts.append("%s=%s" % (name, value))
    text = ";".join(parts)
    return ("%s;sum=%d\n" % (text, checksum(text))).encode()


async def handle(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            break
        writer.write(answer(parse(line)))
        await writer.drain()
    writer.close()


async def request(reader, writer, number):
    writer.write(b"id=%d;name=client;kind=echo;payload=%s\n" % (number, PAYLOAD))
    await writer.drain()
    return parse(await reader.readline())


async def client(port, rounds):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    seen = 0
    for i in range(rounds):
        fields = await request(reader, writer, i)
        seen += fields["id"]
    writer.close()
    await writer.wait_closed()
    return seen


async def serve(clients, rounds):
    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    results = await asyncio.gather(*(client(port, rounds) for _ in range(clients)))
    server.close()
    return sum(results)


def main(clients=8, rounds=60):
    return asyncio.run(serve(clients, rounds))
