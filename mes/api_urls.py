"""Everything below /api/v1/: signing in, who one is, the description, and the addresses of the apps above, by name."""

from importlib.util import find_spec

from django.urls import include, path, re_path

from mes.access.api import AccessRegister, Reviews, ReviewSign
from mes.api.docs import DocsView, SchemaView
from mes.api.views import NoSuchAddress
from mes.inspection.api import api_urls as inspection_urls
from mes.people.api import CloseAccountView, IdentityView, MeView, NoticesView, SessionView
from mes.signatures.own_api import AccountabilityView, ApproveDeputyView, DeputiesView

app_name = "api"

#: Nothing is imported upwards: an app's addresses are here as soon as the file exists.
ABOVE = ("batches.api_urls", "quality.api_urls")

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", DocsView.as_view(), name="docs"),
    path("session/", SessionView.as_view(), name="session"),
    path("me/", MeView.as_view(), name="me"),
    *inspection_urls,
    path("me/accountability/sign/", AccountabilityView.as_view(), name="accountability"),
    path("people/<str:username>/identity/", IdentityView.as_view(), name="identity"),
    path("access-register/", AccessRegister.as_view(), name="access_register"),
    path("access-reviews/", Reviews.as_view(), name="access_reviews"),
    path("access-reviews/<slug:result>/sign/", ReviewSign.as_view(), name="review_access"),
    path("people/<str:username>/close/", CloseAccountView.as_view(), name="close_account"),
    path("deputies/", DeputiesView.as_view(), name="deputies"),
    path("deputies/<uuid:authority_id>/approve/sign/", ApproveDeputyView.as_view(), name="approve_deputy"),
    path("notices/", NoticesView.as_view(), name="notices"),
    *(path("", include(module)) for module in ABOVE if find_spec(module)),
    re_path(r"^.*$", NoSuchAddress.as_view()),
]
