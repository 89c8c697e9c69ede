"""Whose certificates are taken, and our own."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui_monitor.model.errors import UsageError

if TYPE_CHECKING:
    import ssl


@dataclass(frozen=True, slots=True)
class Trust:
    """What a connection over TLS rests on."""

    ca_file: Path | None = None
    """Certificates that are trusted besides the usual ones."""
    cert_file: Path | None = None
    key_file: Path | None = None
    any_certificate: bool = False

    def context(self) -> "ssl.SSLContext":
        """What a client is given. Raises `UsageError` for files that cannot be read."""
        import ssl

        import httpx

        try:
            context = httpx.create_ssl_context()
        except OSError:
            raise UsageError(
                "the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read",
                hint="correct the variable, or unset it",
            ) from None
        try:
            if self.ca_file is not None:
                context.load_verify_locations(self.ca_file.expanduser())
            if self.cert_file is not None:
                key = self.key_file.expanduser() if self.key_file else None
                # Without a password given, the library would ask for one on the terminal.
                context.load_cert_chain(self.cert_file.expanduser(), key, password="")
        except OSError:
            raise UsageError(
                "the certificates or the key cannot be read",
                hint="correct ca_file, cert_file or key_file; a key has no password",
            ) from None
        if self.any_certificate:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
