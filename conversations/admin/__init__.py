"""The Django admin for staff: the catalog is managed here, the record of what happened is looked at and never altered.

It shows no key, ever, and decides no rule of its own: it asks the models to do what the site does elsewhere.
"""

from django.contrib import admin

from .budgets import BudgetAdmin, BudgetPeriodAdmin
from .conversations import ConversationAdmin
from .feedback import FeedbackAdmin
from .generations import GenerationAdmin
from .imports import ImportAdmin
from .language_models import LanguageModelAdmin
from .login import LoginForm
from .messages import MessageAdmin
from .providers import ProviderAdmin
from .saved_prompts import SavedPromptAdmin
from .shares import ShareAdmin
from .system_prompts import SystemPromptAdmin
from .tokens import ApiTokenAdmin
from .usage import UsageAdmin

__all__ = [
    "ApiTokenAdmin",
    "BudgetAdmin",
    "BudgetPeriodAdmin",
    "ConversationAdmin",
    "FeedbackAdmin",
    "GenerationAdmin",
    "ImportAdmin",
    "LanguageModelAdmin",
    "MessageAdmin",
    "ProviderAdmin",
    "SavedPromptAdmin",
    "ShareAdmin",
    "SystemPromptAdmin",
    "UsageAdmin",
]

admin.site.login_form = LoginForm
admin.site.site_header = "Chat administration"
admin.site.site_title = "Chat administration"
admin.site.index_title = "What people chat with, and what happened"
