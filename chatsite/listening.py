"""The socket that the site is reached at, made before anything else is started: an address that is taken is said at once."""

import errno
import socket

BACKLOG = 1024  # connections that may wait for a process to take them: more people than press Enter in the same moment


class CannotListen(Exception):
    """The address cannot be served on; the message is a sentence for the person who starts the site."""


def bound_socket(host: str, port: int) -> socket.socket:
    """Return a socket bound to the address; who connects is refused until `listen()`. Raises CannotListen."""
    if not 0 < port < 65536:
        raise CannotListen(f"PORT={port} is not a port: use a number from 1 to 65535.")
    try:
        family, kind, _, _, address = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        bound = socket.socket(family, kind)
    except (socket.gaierror, UnicodeError):
        raise CannotListen(f"HOST={host} is not an address of this machine.") from None
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        raise CannotListen(reason(host, port, error)) from None
    return bound


def reason(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is already in use: stop what listens there, or choose another with PORT={port + 1}."
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs more rights than this account has: choose one above 1023 with PORT."
    return f"Cannot listen on {host}, port {port}: {error.strerror}."


def inherited_socket(descriptor: int) -> socket.socket:
    """Return the listening socket that the parent process left open. Raises CannotListen."""
    try:
        return socket.socket(fileno=descriptor)
    except OSError as error:
        raise CannotListen(f"Descriptor {descriptor} is no socket: {error.strerror}.") from None
