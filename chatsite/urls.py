from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("conversations.urls")),
    path("accounts/", include("allauth.account.urls")),
    path("admin/", admin.site.urls),
]
handler400 = "conversations.views.errors.bad_request"
handler403 = "conversations.views.errors.permission_denied"
handler404 = "conversations.views.errors.page_not_found"
handler429 = "conversations.views.errors.too_many"
handler500 = "conversations.views.errors.server_error"
