from django.urls import path

from .views import conversations, events, messages, news, theme

urlpatterns = [
    path("", conversations.home, name="home"),
    path("conversations", conversations.start, name="start_conversation"),
    path("conversations/<int:pk>", conversations.show, name="conversation"),
    path("conversations/<int:pk>/messages", messages.start, name="start_turn"),
    path("conversations/<int:pk>/news", news.of_conversation, name="conversation_news"),
    path("conversations/<int:pk>/rename", conversations.rename, name="rename_conversation"),
    path("conversations/<int:pk>/delete", conversations.delete, name="delete_conversation"),
    path("conversations/<int:pk>/restore", conversations.restore, name="restore_conversation"),
    path("messages/<int:pk>/events", events.answer_events, name="answer_events"),
    path("messages/<int:pk>/source", messages.source, name="answer_source"),
    path("messages/<int:pk>/stop", messages.stop, name="stop_answer"),
    path("messages/<int:pk>/retry", messages.try_again, name="retry_answer"),
    path("sidebar", news.sidebar, name="sidebar"),
    path("theme", theme.choose, name="theme"),
]
