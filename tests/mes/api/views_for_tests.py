"""API views over real services of mes, mounted beside the project's own addresses."""

from django.http import HttpResponse
from django.urls import include, path
from rest_framework import serializers
from rest_framework.response import Response

from mes.api import paging
from mes.api.views import ServiceView, UploadView
from mes.errors import RuleBroken, StaleRecord
from mes.people import services
from mes.people.models import Role, User
from mes.permissions import Permission
from mes.signatures import ceremony
from mes.signatures.api import SigningView
from mes.signatures.services import sign


class RoleIn(serializers.Serializer):
    code = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=80)
    weight = serializers.DecimalField(max_digits=12, decimal_places=6, required=False)


class RoleOut(serializers.Serializer):
    id = serializers.UUIDField()
    code = serializers.CharField()


class Roles(ServiceView):
    """Roles of the site. The names below let a test end a request in other ways, after the deed or before it."""

    permission = Permission.MANAGE_PEOPLE
    asks = {"POST": RoleIn}
    answers = {"GET": paging.pages_of(RoleOut), "POST": RoleOut}

    def get(self, request):
        return Response(paging.page(request, Role.objects.filter(site_id=self.actor.site_id)).data(RoleOut))

    def post(self, request):
        given = self.read()
        if given["name"] == "breaks before":
            raise ZeroDivisionError
        role = services.define_role(by=self.actor, code=given["code"], name=given["name"], permissions=["mes.read_audit"])
        if given["name"] == "breaks after":
            raise ZeroDivisionError
        if given["name"] == "refused after":
            raise RuleBroken("told_late", "This is told after the deed.")
        return self.reply(role, location=f"/api/v1/roles/{role.pk}/")


class Echo(ServiceView):
    """Open to whoever is signed in."""

    def get(self, request):
        raise StaleRecord(field="version")

    def put(self, request):
        value = request.data["value"]
        return Response({"kind": type(value).__name__, "value": str(value)})


class Upload(UploadView):
    def post(self, request):
        services.define_role(by=self.actor, code=request.data["code"], name="x", permissions=["mes.read_audit"])
        return Response({"bytes": request.FILES["file"].size}, status=201)


class Paper(ServiceView):
    def post(self, request):
        services.define_role(by=self.actor, code=request.data["code"], name="x", permissions=["mes.read_audit"])
        return HttpResponse(b"%PDF-\xff\x00", content_type="application/pdf", status=201)


class SignPerson(SigningView):
    """Signs somebody's entry in the register of people."""

    meaning = "performed"

    def what(self, user_id):
        user = User.objects.one(pk=user_id)
        return ceremony.subject(user, "person/1", {"full_name": user.full_name})

    def sign(self, proof, user_id):
        what = self.what(user_id)
        return sign(by=self.actor, proof=proof, what=what, meaning="performed", stream=f"person:{user_id}")


urlpatterns = [
    path("api/v1/roles/", Roles.as_view()),
    path("api/v1/echo/", Echo.as_view()),
    path("api/v1/upload/", Upload.as_view()),
    path("api/v1/paper/", Paper.as_view()),
    path("api/v1/people/<uuid:user_id>/sign/", SignPerson.as_view()),
    path("", include("mes.urls")),
]
handler404 = "mes.web.problems.not_found"
handler500 = "mes.web.problems.failed"
