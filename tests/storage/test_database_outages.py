"""PostgreSQL out of reach, slow or gone: one error of ours, without a word of theirs."""

import time
import traceback

import psycopg
import pytest

from tests.storage.conftest import Superuser
from tests.storage.test_database import backend, end, insert_app, number_of_apps
from tests.world import Stores
from tollgate.domain.errors import DatabaseUnavailable, TollgateError
from tollgate.storage.database import Database


class TestUnavailable:
    PASSWORD = "s3cret-password"

    def test_a_server_that_is_not_there(self) -> None:
        database = Database(f"postgresql://somebody:{self.PASSWORD}@127.0.0.1:1/nowhere")
        with pytest.raises(DatabaseUnavailable) as refused:
            backend(database)
        self._tells_nothing(refused.value)
        assert not database.is_up()

    def test_a_wrong_password(self, stores: Stores) -> None:
        url = psycopg.conninfo.make_conninfo(stores.service_url, password=self.PASSWORD)
        with pytest.raises(DatabaseUnavailable) as refused:
            backend(Database(url))
        self._tells_nothing(refused.value)

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://somebody:s3cret-password@127.0.0.1:port/nowhere",
            "postgresql://somebody:s3cret-password@127.0.0.1/nowhere?no_such_option=1",
            "s3cret-password",
        ],
    )
    def test_a_url_that_is_none(self, url: str) -> None:
        database = Database(url)
        with pytest.raises(TollgateError) as refused:
            backend(database)
        self._tells_nothing(refused.value)
        assert not database.is_up()

    def test_a_statement_that_takes_too_long(self, as_owner: Database) -> None:
        with pytest.raises(DatabaseUnavailable) as refused, as_owner.transaction():
            as_owner.one("SET LOCAL statement_timeout = '50ms'", {})
            insert_app(as_owner, "app_1")
            as_owner.one("SELECT pg_sleep(10), %(value)s::text", {"value": self.PASSWORD})
        self._tells_nothing(refused.value)
        assert number_of_apps(as_owner) == 0

    def test_a_lock_that_is_not_had_in_time(self, as_owner: Database, stores: Stores) -> None:
        insert_app(as_owner, "app_1")
        with psycopg.connect(stores.owner_url) as other:
            other.execute("UPDATE apps SET name = 'b'")
            with pytest.raises(DatabaseUnavailable), as_owner.transaction():
                as_owner.one("SET LOCAL lock_timeout = '50ms'", {})
                as_owner.one("UPDATE apps SET name = 'c'", {})
        row = as_owner.one("SELECT name FROM apps", {})
        assert row == {"name": "b"}

    def test_a_server_that_went_away_within_a_transaction(
        self, as_owner: Database, superuser: Superuser
    ) -> None:
        with pytest.raises(DatabaseUnavailable), as_owner.transaction():
            insert_app(as_owner, "app_1")
            end(superuser, backend(as_owner))
            insert_app(as_owner, "app_2")
        assert number_of_apps(as_owner) == 0

    def test_a_server_that_went_away_before_the_commit(
        self, as_owner: Database, superuser: Superuser
    ) -> None:
        with pytest.raises(DatabaseUnavailable), as_owner.transaction():
            insert_app(as_owner, "app_1")
            end(superuser, backend(as_owner))
        assert number_of_apps(as_owner) == 0

    def test_a_transaction_that_was_idle_for_too_long(self, as_owner: Database) -> None:
        with pytest.raises(DatabaseUnavailable), as_owner.transaction():
            insert_app(as_owner, "app_1")
            as_owner.one("SET LOCAL idle_in_transaction_session_timeout = '10ms'", {})
            time.sleep(0.1)
            insert_app(as_owner, "app_2")
        assert number_of_apps(as_owner) == 0

    def test_a_server_that_takes_no_writes_just_now(self, as_owner: Database) -> None:
        """As a standby does that has not been promoted yet."""
        with pytest.raises(DatabaseUnavailable), as_owner.transaction():
            as_owner.one("SET LOCAL transaction_read_only = on", {})
            insert_app(as_owner, "app_1")
        insert_app(as_owner, "app_1")

    def _tells_nothing(self, error: TollgateError) -> None:
        told = "".join(traceback.format_exception(error))
        assert self.PASSWORD not in told and "somebody" not in told
        assert self.PASSWORD not in repr(vars(error))
