"""The log-in of the admin: attempts are counted together with those of the site's own."""

from allauth.account.adapter import get_adapter
from django.contrib.admin.forms import AdminAuthenticationForm
from django.views.decorators.debug import sensitive_variables


class LoginForm(AdminAuthenticationForm):
    @sensitive_variables()
    def clean(self) -> dict[str, str]:
        """Authenticate as the site does. Raises ValidationError, also where there were too many attempts."""
        name, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        if name and password:
            self.user_cache = get_adapter().authenticate(self.request, username=name, password=password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data
