"""Requests to the servers of the simulated internet: for the state in force, and for a page."""

from __future__ import annotations

import http.client
from typing import Protocol

import dns.exception
import dns.message
import dns.query
import dns.rdatatype

from harness.edge.internet.state import STATE_NAME
from harness.edge.machine.wait import NotYet

HTTP_OK = 200


class Servers(Protocol):
    """Access to the servers. `seconds` is the deadline of one request."""

    def state(self, address: str, seconds: float) -> str:
        """The digest of the state that the name server at this address has in force.

        Raises:
            NotYet: the name server does not answer with a digest.
        """
        ...

    def page(self, address: str, seconds: float) -> None:
        """Get a page from the web server at this address.

        Raises:
            NotYet: the web server does not answer with a page.
        """
        ...


class NetworkServers:
    """Access over the network."""

    def state(self, address: str, seconds: float) -> str:
        """Ask by DNS."""
        question = dns.message.make_query(STATE_NAME, dns.rdatatype.TXT)
        try:
            reply = dns.query.udp(question, address, timeout=seconds)
        except (OSError, dns.exception.DNSException) as error:
            seen = f"{address}, asked for {STATE_NAME}: {type(error).__name__}: {error}"
            raise NotYet(seen) from error
        told = [str(record).strip('"') for records in reply.answer for record in records]
        if len(told) != 1:
            raise NotYet(f"{address}, asked for {STATE_NAME}: {told or 'no state'}")
        return told[0]

    def page(self, address: str, seconds: float) -> None:
        """Ask by HTTP."""
        web = http.client.HTTPConnection(address, 80, timeout=seconds)
        try:
            web.request("GET", "/")
            status = web.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            raise NotYet(f"http://{address}/: {type(error).__name__}: {error}") from error
        finally:
            web.close()
        if status != HTTP_OK:
            raise NotYet(f"http://{address}/: status {status}")


SERVERS: Servers = NetworkServers()
