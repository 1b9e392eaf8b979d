"""What a caller brought, read before anybody is asked: a key, or a token that we signed."""

import pytest

from tests.callers import DEAD_DATABASE, DEAD_REDIS
from tests.world import START, World
from tollgate.crypto.access_tokens import LIFETIME_SECONDS, AccessToken, mint
from tollgate.domain.credentials import hash_secret
from tollgate.domain.errors import CredentialsMissing, CredentialsRefused
from tollgate.domain.keyring import Keyring
from tollgate.domain.principal import Role
from tollgate.http.auth import read_proof
from tollgate.operations.admission import Proof
from tollgate.operations.context import Context


@pytest.fixture
def alone(world: World) -> Context:
    """A container that can ask nobody."""
    return world.new_context(database_url=DEAD_DATABASE, redis_url=DEAD_REDIS)


def parts(key: str) -> tuple[str, str]:
    """A key's public id, and its secret."""
    _, _, key_id, secret = key.split("_")
    return key_id, secret


class TestKey:
    def test_is_known_by_its_hash_only(self, world: World, alone: Context) -> None:
        key_id, secret = parts(world.app.key)
        proof = read_proof(alone, f"Bearer {world.app.key}")
        assert proof == Proof(key_id, livemode=False, secret_sha256=hash_secret(secret))
        assert secret not in repr(proof)

    @pytest.mark.parametrize(("mode", "livemode"), [("test", False), ("live", True)])
    def test_says_its_mode(self, world: World, alone: Context, mode: str, livemode: bool) -> None:
        key = world.app.key.replace("tg_test_", f"tg_{mode}_")
        assert read_proof(alone, f"Bearer {key}").livemode is livemode

    @pytest.mark.parametrize("scheme", ["bearer ", "BEARER ", "Bearer   "])
    def test_the_scheme_is_read_in_any_case(
        self, world: World, alone: Context, scheme: str
    ) -> None:
        assert read_proof(alone, scheme + world.app.key).key_id == parts(world.app.key)[0]

    @pytest.mark.parametrize("authorization", [None, ""])
    def test_none_sent(self, alone: Context, authorization: str | None) -> None:
        with pytest.raises(CredentialsMissing):
            read_proof(alone, authorization)

    @pytest.mark.parametrize(
        "authorization",
        [
            "{key}",
            "Basic {key}",
            "Bearer",
            "Bearer ",
            "Bearer {key}x",
            "Bearer {key} {key}",
            "Bearer {key},",
            'Bearer "{key}"',
            "Bearer \u0660{key}",
            "Bearer " + "x" * 100_000,
            "Bearer tg_test__",
            "Bearer \ud800",
            "Bearer ..",
            "Bearer " + "." * 100_000,
        ],
    )
    def test_what_is_no_key_asks_nobody(
        self, world: World, alone: Context, authorization: str
    ) -> None:
        with pytest.raises(CredentialsRefused):
            read_proof(alone, authorization.replace("{key}", world.app.key))


class TestToken:
    @staticmethod
    def minted(world: World, token: AccessToken, **changed: str) -> str:
        keyring = world.settings.access_token_keys
        issuer = changed.get("issuer", world.settings.public_url)
        return mint(keyring, token, issuer=issuer, now=START, random_bytes=bytes)

    @pytest.mark.parametrize(
        ("role", "subject", "client_id"),
        [(Role.APP, "app_1", ""), (Role.ADMIN, "admin", ""), (Role.CLIENT, "c-1", "c-1")],
    )
    def test_proves_itself(
        self, world: World, alone: Context, role: Role, subject: str, client_id: str
    ) -> None:
        scopes = frozenset({"payments:read"})
        token = self.minted(world, AccessToken("0" * 16, role, subject, scopes))
        assert read_proof(alone, f"Bearer {token}") == Proof(
            "0" * 16,
            livemode=False,
            is_signed=True,
            role=role,
            client_id=client_id,
            scopes=scopes,
        )

    def test_is_of_the_mode_of_this_deployment(self, world: World) -> None:
        context = world.new_context(livemode=True)
        token = self.minted(world, AccessToken("0" * 16, Role.APP, "app_1"))
        assert read_proof(context, f"Bearer {token}").livemode is True

    def test_is_refused_when_it_is_over(self, world: World, alone: Context) -> None:
        token = self.minted(world, AccessToken("0" * 16, Role.APP, "app_1"))
        world.pass_time(seconds=LIFETIME_SECONDS - 1)
        read_proof(alone, f"Bearer {token}")
        world.pass_time(seconds=1)
        with pytest.raises(CredentialsRefused):
            read_proof(alone, f"Bearer {token}")

    def test_of_another_deployment(self, world: World, alone: Context) -> None:
        token = AccessToken("0" * 16, Role.ADMIN, "admin")
        elsewhere = self.minted(world, token, issuer="https://elsewhere.example")
        with pytest.raises(CredentialsRefused) as refused:
            read_proof(alone, f"Bearer {elsewhere}")
        assert refused.value.__cause__ is None and refused.value.__suppress_context__

    def test_with_another_signature(self, world: World, alone: Context) -> None:
        token = AccessToken("0" * 16, Role.ADMIN, "admin")
        forged = mint(
            Keyring({"a1": b"x" * 32}),
            token,
            issuer=world.settings.public_url,
            now=START,
            random_bytes=bytes,
        )
        with pytest.raises(CredentialsRefused):
            read_proof(alone, f"Bearer {forged}")
