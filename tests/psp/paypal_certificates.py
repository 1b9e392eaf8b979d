"""Certificates and the authorities that vouch for them, as PayPal's might be and as a forger's."""

import base64
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

import httpx
import respx
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from tests.psp.paypal_values import adapter
from tollgate.domain.callback import Callback
from tollgate.domain.outcome import Hint

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WEBHOOK_ID = "1JE4291016473214C"
CERT_URL = "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594"
NAME = "messageverificationcerts.sandbox.paypal.com"
YEAR = timedelta(days=365)


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def ec_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass
class Authority:
    """Vouches for anybody who asks."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    @property
    def certificate(self) -> x509.Certificate:
        name = _named("An authority")
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        public = self.key.public_key()
        return (
            _builder(name, name, NOW - YEAR, NOW + 9 * YEAR)
            .public_key(public)
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .sign(self.key, SHA256())
        )

    @property
    def setting(self) -> str:
        """As PAYPAL_CA_PEM takes it."""
        return base64.b64encode(self.certificate.public_bytes(Encoding.PEM)).decode()

    def leaf(
        self,
        name: str = NAME,
        since: datetime = NOW - timedelta(days=1),
        until: datetime = NOW + YEAR,
        key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
    ) -> bytes:
        """A certificate in this name, as PEM."""
        mine = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        certificate = (
            _builder(_named(name), self.certificate.subject, since, until)
            .public_key((key or rsa_key()).public_key())
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            .add_extension(mine, critical=False)
            .sign(self.key, SHA256())
        )
        return certificate.public_bytes(Encoding.PEM)


def signed(
    body: bytes, webhook_id: str = WEBHOOK_ID, cert_url: str = CERT_URL, **headers: str
) -> Callback:
    """A webhook as PayPal sends it; `headers` (named by their last part) take the place of its."""
    message = f"transmission-1|2026-06-01T12:00:00Z|{webhook_id}|{zlib.crc32(body)}".encode()
    signature = base64.b64encode(rsa_key().sign(message, PKCS1v15(), SHA256())).decode()
    given = {
        "paypal-transmission-id": "transmission-1",
        "paypal-transmission-time": "2026-06-01T12:00:00Z",
        "paypal-transmission-sig": signature,
        "paypal-cert-url": cert_url,
        "paypal-auth-algo": "SHA256withRSA",
    }
    given |= {f"paypal-{name.replace('_', '-')}": value for name, value in headers.items()}
    return Callback(headers=given, body=body)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


BODY = b'{"id": "WH-1", "event_type": "CHECKOUT.ORDER.APPROVED", "resource": {}}'


@cache
def authority() -> Authority:
    return Authority()


def read(
    callback: Callback,
    pem: bytes | httpx.Response | Exception | None = None,
    *,
    now: datetime = NOW,
    url: str = CERT_URL,
    **values: str,
) -> Hint:
    """What the adapter reads, where this is what is found at the certificate's address."""
    answer = pem if pem is not None else authority().leaf()
    if isinstance(answer, bytes):
        answer = httpx.Response(200, content=answer)
    values = {"PAYPAL_CA_PEM": authority().setting} | values
    with respx.mock(assert_all_called=False) as router:
        router.get(url).mock(side_effect=[answer])
        return adapter(**values).read_event(callback, now)
