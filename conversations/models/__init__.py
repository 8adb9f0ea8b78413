"""What is kept, and the rules of keeping it. Imports nothing else of ours."""

from .branches import Siblings, choose, delete_turn, keep, restore_turn, siblings_of
from .budgets import Budget, BudgetPeriod, Reservation
from .calls import ApiCall
from .catalog import LanguageModel, Protocol, Provider
from .conversations import Conversation
from .decisions import ToolDecision, decide
from .feedback import Feedback, rate
from .folders import Folder
from .forks import fork
from .generations import Generation, Status
from .imports import Import
from .journal import JournalEntry
from .messages import Message, Rendering, Role
from .pace import Pace
from .prices import Price
from .prompts import Preferences, SavedPrompt
from .refusals import NothingLeft, TooFast, TurnRefused
from .rewrites import rewrite
from .settings import FormerSettings
from .shares import NothingToShare, Share, share
from .system_prompts import SystemPrompt, SystemPromptVersion
from .tokens import ApiToken, Scope, TooManyTokens, make_token
from .turns import Turn, answer_prompt, edit, go_on, retry, start_conversation, start_turn
from .usage import Usage

__all__ = [
    "ApiCall",
    "ApiToken",
    "Budget",
    "BudgetPeriod",
    "Conversation",
    "Feedback",
    "Folder",
    "FormerSettings",
    "Generation",
    "Import",
    "JournalEntry",
    "LanguageModel",
    "Message",
    "NothingLeft",
    "NothingToShare",
    "Pace",
    "Preferences",
    "Price",
    "Protocol",
    "Provider",
    "Rendering",
    "Reservation",
    "Role",
    "SavedPrompt",
    "Scope",
    "Share",
    "Siblings",
    "Status",
    "SystemPrompt",
    "SystemPromptVersion",
    "TooFast",
    "TooManyTokens",
    "ToolDecision",
    "Turn",
    "TurnRefused",
    "Usage",
    "answer_prompt",
    "choose",
    "decide",
    "delete_turn",
    "edit",
    "fork",
    "go_on",
    "keep",
    "make_token",
    "rate",
    "restore_turn",
    "retry",
    "rewrite",
    "share",
    "siblings_of",
    "start_conversation",
    "start_turn",
]
