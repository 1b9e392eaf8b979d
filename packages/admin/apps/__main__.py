"""GET, POST, PUT, DELETE: apps."""

from tollgate.domain.page import PAGE_QUERY
from tollgate.http.endpoint import endpoint
from tollgate.http.route import DELETE, GET, POST, PUT
from tollgate.operations.apps import create_app, delete_app, get_app, list_apps, update_app
from tollgate.schemas.apps import AppList, AppView, CreateApp, UpdateApp

main = endpoint(
    GET(list_apps, query=PAGE_QUERY, returns=AppList),
    POST(create_app, body=CreateApp, returns=AppView, status=201),
    GET(get_app, target="app_id", returns=AppView),
    PUT(update_app, target="app_id", body=UpdateApp, returns=AppView),
    DELETE(delete_app, target="app_id", returns=AppView),
)
