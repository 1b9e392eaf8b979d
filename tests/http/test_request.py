"""Reading the platform's raw event: the bytes as they were sent, and nothing that is not."""

import base64
from types import SimpleNamespace
from typing import Any

import pytest

from tollgate.domain.errors import BadRequest, MalformedBody
from tollgate.http.request import Request, read_request, request_id


def read(**http: Any) -> Request:
    return read_request({"http": {"method": "POST", "path": "", "headers": {}, **http}})


@pytest.mark.parametrize("event", [{}, {"http": None}, {"http": "GET /"}, {"name": "timer"}])
def test_what_is_no_web_request_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(BadRequest, match="web requests only"):
        read_request(event)


def test_an_event_may_leave_everything_out() -> None:
    assert read_request({"http": {}}) == Request("", "", {}, {}, b"")


class TestBody:
    @pytest.mark.parametrize("sent", [b"", b"{}", bytes(range(256)), b"\r\n\r\n {}\n", b"\xff\xfe"])
    def test_base64_gives_the_exact_bytes(self, sent: bytes) -> None:
        assert read(body=base64.b64encode(sent).decode(), isBase64Encoded=True).body == sent

    def test_plain_text_is_sent_as_utf8(self) -> None:
        assert read(body='{"a": "é€😀"}\r\n', isBase64Encoded=False).body == (
            b'{"a": "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"}\r\n'
        )

    def test_without_the_flag_base64_is_just_text(self) -> None:
        assert read(body="e30=").body == b"e30="

    @pytest.mark.parametrize("body", [None, ""])
    @pytest.mark.parametrize("flag", [True, False, None])
    def test_no_body_is_empty(self, body: str | None, flag: bool | None) -> None:
        assert read(body=body, isBase64Encoded=flag).body == b""

    @pytest.mark.parametrize("body", ["e30", "e30=e30=", "e3 0=", "e30=\n", "-_-_", "{}", "é30="])
    def test_bad_base64_is_refused(self, body: str) -> None:
        with pytest.raises(MalformedBody) as refused:
            read(body=body, isBase64Encoded=True)
        assert body not in str(refused.value)

    @pytest.mark.parametrize("flag", [True, False])
    def test_half_a_character_is_refused(self, flag: bool) -> None:
        with pytest.raises(MalformedBody):
            read(body='{"a": "\ud800"}', isBase64Encoded=flag)


class TestHead:
    def test_header_names_are_read_in_lower_case_and_values_as_they_are(self) -> None:
        request = read(headers={"X-Ab": "Cd", "AUTHORIZATION": "Bearer X", "idempotency-Key": "K"})
        assert request.headers == {
            "x-ab": "Cd",
            "authorization": "Bearer X",
            "idempotency-key": "K",
        }

    def test_no_headers_at_all(self) -> None:
        assert read(headers=None).headers == {}

    def test_the_method_is_read_in_upper_case(self) -> None:
        assert read(method="get").method == "GET"

    @pytest.mark.parametrize(
        ("path", "target"),
        [
            ("", ""),
            ("/", ""),
            ("/pay_1", "pay_1"),
            ("pay_1", "pay_1"),
            ("/a%40b.example", "a@b.example"),
            ("/a+b", "a+b"),
            ("/a%2Fb", "a/b"),
            ("/a/b", "a/b"),
            ("/%C3%A9", "é"),
            ("/%2525", "%25"),
            ("/100%", "100%"),
        ],
    )
    def test_the_target_is_percent_decoded_once(self, path: str, target: str) -> None:
        assert read(path=path).target == target

    def test_a_query_that_is_not_utf8_is_refused(self) -> None:
        for query in ("a=%ff", "a=\ud800", "\udfff"):
            with pytest.raises(BadRequest, match="query can't be read"):
                read(queryString=query)

    @pytest.mark.parametrize(
        "path", ["/%ff", "/a%C3", "/%ED%A0%80", "/%C0%AF", "/\ud800", "/a\udfff%20"]
    )
    def test_a_path_that_is_not_utf8_is_refused(self, path: str) -> None:
        with pytest.raises(BadRequest, match="path is not UTF-8"):
            read(path=path)


class TestQuery:
    @pytest.mark.parametrize(
        ("text", "query"),
        [
            ("", {}),
            ("product=pro", {"product": "pro"}),
            ("a=1&b=", {"a": "1", "b": ""}),
            ("a=x%20y+z%26", {"a": "x y z&"}),
            ("a=1&a=2", {"a": "2"}),
            ("lonely", {"lonely": ""}),
        ],
    )
    def test_is_decoded(self, text: str, query: dict[str, str]) -> None:
        assert read(queryString=text).query == query

    def test_that_is_not_utf8_is_refused(self) -> None:
        with pytest.raises(BadRequest, match="query can't be read"):
            read(queryString="a=%ff")

    def test_takes_fifty_fields_and_no_more(self) -> None:
        fields = [f"f{number}=1" for number in range(51)]
        assert len(read(queryString="&".join(fields[:50])).query) == 50
        with pytest.raises(BadRequest, match="query can't be read"):
            read(queryString="&".join(fields))


class TestRequestId:
    ACTIVATION = SimpleNamespace(activation_id="activation-1")

    @pytest.mark.parametrize("given", ["a", "A-z_0", "x" * 64])
    def test_the_callers_own_is_kept(self, given: str) -> None:
        event = {"http": {"headers": {"x-request-id": given}}}
        assert request_id(event, self.ACTIVATION) == given

    @pytest.mark.parametrize(
        "given",
        [
            *(
                "",
                "x" * 65,
                "a b",
                "a\r\nset-cookie: b=c",
                "a\n",
                "é",
                "a;b",
                "<b>",
                None,
                7,
                ["a"],
            ),
            "4242424242424242",  # a card number
        ],
    )
    def test_one_that_could_do_harm_never_passes(self, given: object) -> None:
        event = {"http": {"headers": {"x-request-id": given}}}
        assert request_id(event, self.ACTIVATION) == "activation-1"

    @pytest.mark.parametrize("activation_id", ["a\r\nb", "x" * 65, "", None, 5])
    def test_nor_does_the_platforms(self, activation_id: object) -> None:
        activation = SimpleNamespace(activation_id=activation_id)
        assert request_id({}, activation) == "unknown"

    @pytest.mark.parametrize("event", [{}, {"http": None}, {"http": {"headers": None}}])
    def test_an_event_may_lack_everything(self, event: dict[str, Any]) -> None:
        assert request_id(event, None) == "unknown"
