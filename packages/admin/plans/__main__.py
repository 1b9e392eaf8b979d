"""GET, POST, PUT, DELETE: the plans of an app."""

from tollgate.domain.page import PAGE_QUERY
from tollgate.http.endpoint import endpoint
from tollgate.http.route import DELETE, GET, POST, PUT
from tollgate.operations.plans import archive_plan, create_plan, get_plan, list_plans, update_plan
from tollgate.schemas.plans import CreatePlan, PlanList, PlanView, UpdatePlan

OF_APP = ("app_id",)

main = endpoint(
    GET(list_plans, query=(*OF_APP, *PAGE_QUERY), returns=PlanList),
    POST(create_plan, body=CreatePlan, returns=PlanView, status=201),
    GET(get_plan, target="code", query=OF_APP, returns=PlanView),
    PUT(update_plan, target="code", query=OF_APP, body=UpdatePlan, returns=PlanView),
    DELETE(archive_plan, target="code", query=OF_APP, returns=PlanView),
)
