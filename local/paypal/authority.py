"""The certificate that webhooks are signed with, and the authority that vouches for it.

Made anew at each start: nothing of the kind lies in a file. The deployment is told of the authority
by `ca_pem`, which takes the place of the public ones.
"""

import base64
from datetime import datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NAME = "messageverificationcerts.sandbox.paypal.com"
_LIVES = timedelta(days=3650)


class Authority:
    """A certificate in PayPal's name, valid for ten years from a day before `now`."""

    def __init__(self, now: datetime) -> None:
        self._key = _signing_key()
        starts = now - timedelta(days=1)
        authority_key = ec.generate_private_key(ec.SECP256R1())
        authority = _authority(authority_key, starts)
        leaf = _leaf(self._key.public_key(), authority, authority_key, starts)
        self.ca_pem = base64.b64encode(authority.public_bytes(Encoding.PEM)).decode()
        """The base64 of PEM: what the setting PAYPAL_CA_PEM takes."""
        self.pem = leaf.public_bytes(Encoding.PEM)
        """What the certificate's address answers."""

    def sign(self, message: bytes) -> str:
        """SHA256withRSA, in base64."""
        return base64.b64encode(self._key.sign(message, PKCS1v15(), SHA256())).decode()


@cache
def _signing_key() -> rsa.RSAPrivateKey:
    """One a process: making it takes longer than all the rest of a start."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _authority(key: ec.EllipticCurvePrivateKey, starts: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Stand-in authority")])
    usage = _usage(key_cert_sign=True, crl_sign=True)
    return (
        _builder(name, name, starts)
        .public_key(key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def _leaf(
    key: rsa.RSAPublicKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    starts: datetime,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    return (
        _builder(name, authority.subject, starts)
        .public_key(key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(purposes, critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(issued_by, critical=False)
        .sign(authority_key, SHA256())
    )


def _builder(subject: x509.Name, issuer: x509.Name, starts: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .serial_number(x509.random_serial_number())
        .not_valid_before(starts)
        .not_valid_after(starts + _LIVES)
    )


def _usage(
    *, digital_signature: bool = False, key_cert_sign: bool = False, crl_sign: bool = False
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )
