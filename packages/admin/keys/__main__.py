"""GET, POST, PUT, DELETE: API keys. POST /{key_id} rotates one."""

from tollgate.domain.page import PAGE_QUERY
from tollgate.http.endpoint import endpoint
from tollgate.http.route import DELETE, GET, POST, PUT
from tollgate.operations.api_keys import (
    create_key,
    get_key,
    list_keys,
    revoke_key,
    rotate_key,
    update_key,
)
from tollgate.schemas.api_keys import (
    CreateKey,
    KeyList,
    KeyView,
    NewKeyView,
    RotateKey,
    UpdateKey,
)

main = endpoint(
    GET(list_keys, query=("app_id", *PAGE_QUERY), returns=KeyList),
    POST(create_key, body=CreateKey, returns=NewKeyView, status=201),
    GET(get_key, target="key_id", returns=KeyView),
    POST(rotate_key, target="key_id", body=RotateKey, returns=NewKeyView, status=201),
    PUT(update_key, target="key_id", body=UpdateKey, returns=KeyView),
    DELETE(revoke_key, target="key_id", returns=KeyView),
)
