"""The headers that can be put on every response: the configuration of the plugin."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Settings"]


@dataclass(eq=False)  # made for every application at its start: no more methods than are needed
class Settings:
    """Each is the value of the header of its name, on every response that has none of its own; None: it is not set.

    strict_transport_security  "max-age=31536000; includeSubDomains"; on responses over https only (RFC 6797, 7.2).
    content_security_policy    "default-src 'self'; frame-ancestors 'none'", …
    content_security_policy_report_only  a policy that is tried, and not enforced.
    cross_origin_embedder_policy  "require-corp", "credentialless", …
    cross_origin_opener_policy    "same-origin", …
    cross_origin_resource_policy  "same-origin", …
    permissions_policy         "camera=(), geolocation=()", …
    referrer_policy            "strict-origin-when-cross-origin", …
    x_content_type_options     "nosniff".
    x_frame_options            "DENY" or "SAMEORIGIN"; `frame-ancestors` of a content_security_policy is its successor.
    """

    strict_transport_security: str | None = None
    content_security_policy: str | None = None
    content_security_policy_report_only: str | None = None
    cross_origin_embedder_policy: str | None = None
    cross_origin_opener_policy: str | None = None
    cross_origin_resource_policy: str | None = None
    permissions_policy: str | None = None
    referrer_policy: str | None = None
    x_content_type_options: str | None = None
    x_frame_options: str | None = None

    def __post_init__(self) -> None:
        faults = []
        for name, value in self._given():
            if not (value.isascii() and value.isprintable()) or not value or value != value.strip():
                faults.append(f"{name} is {value!r}; it has to be the value of a header: one line of ASCII")
        hsts, options, frames = self.strict_transport_security, self.x_content_type_options, self.x_frame_options
        if hsts is not None and not _is_max_age(hsts):
            faults.append(f"strict_transport_security is {hsts!r}; write it as 'max-age=31536000', in seconds")
        if options is not None and options.lower() != "nosniff":
            faults.append(f"x_content_type_options is {options!r}; there is no other value than 'nosniff'")
        if frames is not None and frames.upper() not in ("DENY", "SAMEORIGIN"):
            faults.append(
                f"x_frame_options is {frames!r}; it is 'DENY' or 'SAMEORIGIN': for certain pages set frame-ancestors "
                "in content_security_policy"
            )
        if faults:
            raise ValueError("; ".join(faults))

    def _given(self) -> list[tuple[str, str]]:
        return [(name, value) for name, value in vars(self).items() if value is not None]

    def headers(self) -> dict[str, str]:
        """The headers that are set, by name; Strict-Transport-Security among them."""
        return {name.replace("_", "-").title(): value for name, value in self._given()}


def _is_max_age(value: str) -> bool:
    """Whether the first directive is max-age, with its number."""
    name, _, number = value.partition(";")[0].partition("=")
    return name.strip().lower() == "max-age" and number.strip().strip('"').isdecimal()
