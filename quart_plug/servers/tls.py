"""TLS for servers in Python: the context of the certificate that the options name."""

from __future__ import annotations

import ssl
from collections.abc import Iterable

from .options import ServeOptions, unusable_certificate

__all__ = ["tls_context"]


def tls_context(options: ServeOptions, protocols: Iterable[str]) -> ssl.SSLContext | None:
    """The context for the options' certificate, or None without one. With `ca_certs` clients have to show theirs.

    protocols  what is offered by ALPN, best first: "h2", "http/1.1".

    Raises ServerStartError when a file cannot be used.
    """
    if options.certfile is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([*protocols])
    try:
        context.load_cert_chain(options.certfile, options.key)
        if options.ca_certs is not None:
            context.load_verify_locations(options.ca_certs)
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, OSError) as error:
        raise unusable_certificate(options, error) from error
    return context
