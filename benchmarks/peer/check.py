"""The peer's check: has this client an active subscription? The client's id is its customer's."""

from django.urls import path
from djstripe.models import Subscription
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class CheckView(APIView):
    """GET /check/{client_id}, of whoever has a token."""

    def get(self, _request: Request, client_id: str) -> Response:
        """By dj-stripe's own rule: the status is active or trialing, and the period is not over.

        One query, by an index that dj-stripe makes.
        """
        found = Subscription.objects.filter(customer=client_id)
        subscription = next((each for each in found if each.is_valid()), None)
        return Response(
            {
                "client_id": client_id,
                "active": subscription is not None,
                "status": subscription and subscription.status,
                "current_period_end": subscription and subscription.current_period_end,
            }
        )


urlpatterns = [path("check/<str:client_id>", CheckView.as_view())]
