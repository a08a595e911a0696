"""A real SMTP server (aiosmtpd) for the tests of `deliver::smtp`. Never for mail of anybody.

Listens on a free port of 127.0.0.1, prints it, and ends when its standard input does. What it accepts goes to a file,
one JSON object a line. The local part of the recipient says how it behaves:

    refuse*   550, repeating the address, as real servers do
    grey*     450 at first, then accepts (greylisting)
    busy*     421, and hangs up
    slow*     answers after three seconds
    drop*     hangs up without an answer
    spam*     554 after the content
    gone*     550 5.1.1 after the content
    lost*     takes the content and hangs up without an answer
    bye*      accepts, and hangs up
"""

import argparse
import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Server(SMTP):
    inject = False

    async def push(self, status):
        if self.inject and isinstance(status, str) and status.startswith("220 Ready to start TLS"):
            status += "\r\n250-injected\r\n250 8BITMIME"
        await super().push(status)


class Handler:
    def __init__(self, out):
        self.out = out
        self.seen = set()

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if address.startswith("stranger"):
            return f"550 5.7.60 {address} may not send as this"
        envelope.mail_from = address
        envelope.mail_options.extend(mail_options)
        return "250 2.1.0 OK"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address.startswith("refuse"):
            return f"550 5.1.1 <{address}>: no such user"
        if address.startswith("grey") and address not in self.seen:
            self.seen.add(address)
            return f"450 4.2.0 <{address}>: greylisted, come again"
        if address.startswith("busy"):
            server.transport.write(b"421 4.3.2 too busy for " + address.encode() + b"\r\n")
            server.transport.close()
            return "250 never seen"
        if address.startswith("slow"):
            await asyncio.sleep(3)
        if address.startswith("drop"):
            server.transport.abort()
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server, session, envelope):
        to = envelope.rcpt_tos[0]
        if to.startswith("spam"):
            return f"554 5.7.1 no spam for {to}"
        if to.startswith("gone"):
            return f"550 5.1.1 <{to}> has left"
        record = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "options": envelope.mail_options,
            "raw": envelope.original_content.decode(),
            "peer": session.peer[1],
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "signed_in": session.authenticated,
        }
        self.out.write(json.dumps(record) + "\n")
        self.out.flush()
        if to.startswith("lost"):
            server.transport.abort()
        if to.startswith("bye"):
            asyncio.get_running_loop().call_soon(server.transport.close)
        return "250 2.0.0 taken"


def authenticator(arguments):
    def check(server, session, envelope, mechanism, data):
        good = (data.login, data.password) == (arguments.user.encode(), arguments.password.encode())
        return AuthResult(success=good, handled=False if not good else True)

    return check


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--mode", choices=["implicit", "starttls", "plain"], required=True)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--user")
    parser.add_argument("--password")
    parser.add_argument("--out", required=True)
    parser.add_argument("--no-utf8", action="store_true")
    parser.add_argument("--inject", action="store_true", help="slip a reply in behind the go-ahead for STARTTLS")
    arguments = parser.parse_args()
    tls = None
    if arguments.mode != "plain":
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(arguments.cert, arguments.key)
    Server.inject = arguments.inject
    loop = asyncio.get_running_loop()
    handler = Handler(open(arguments.out, "a", encoding="utf-8"))

    def connection():
        return Server(
            handler,
            hostname="localhost",
            enable_SMTPUTF8=not arguments.no_utf8,
            tls_context=tls if arguments.mode == "starttls" else None,
            require_starttls=arguments.mode == "starttls",
            auth_required=arguments.user is not None,
            auth_require_tls=arguments.mode == "starttls",
            authenticator=authenticator(arguments) if arguments.user else None,
            loop=loop,
        )

    server = await loop.create_server(connection, "127.0.0.1", 0, ssl=tls if arguments.mode == "implicit" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
