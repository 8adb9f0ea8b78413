"""What is kept, and the rules of keeping it. Imports nothing else of ours."""

from .catalog import LanguageModel, Protocol, Provider, SystemPrompt, SystemPromptVersion
from .conversations import Conversation
from .generations import Generation, JournalEntry, Status
from .messages import Message, Role
from .turns import Turn, TurnRefused, retry, start_conversation, start_turn
from .usage import Usage

__all__ = [
    "Conversation",
    "Generation",
    "JournalEntry",
    "LanguageModel",
    "Message",
    "Protocol",
    "Provider",
    "Role",
    "Status",
    "SystemPrompt",
    "SystemPromptVersion",
    "Turn",
    "TurnRefused",
    "Usage",
    "retry",
    "start_conversation",
    "start_turn",
]
