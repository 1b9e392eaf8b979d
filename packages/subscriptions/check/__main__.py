"""GET /{client_id}: has this client paid?"""

from tollgate.http.endpoint import APP, endpoint
from tollgate.operations.access import check_access

main = endpoint(check_access, method="GET", roles=APP, target=True, query=("product",))
