"""Settings of the site. Everything a host can change comes from the environment; docs/configuration.md lists it all."""

from pathlib import Path
from typing import Any

from django.utils.csp import CSP

from chatsite import backends
from chatsite import environment as env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = env.directory("DATA_DIR", BASE_DIR / "data")
HOST, PORT = env.text("HOST", "127.0.0.1"), env.number("PORT", 8000)

DEBUG = env.flag("DEBUG")
SECRET_KEY = env.secret_key(DATA_DIR)
ALLOWED_HOSTS = [*env.words("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]"), HOST]
CSRF_TRUSTED_ORIGINS = env.origins("TRUSTED_ORIGINS")
WEB_PROCESSES = env.number("WEB_PROCESSES", 1, least=1)  # processes that serve pages and streams on one socket
GENERATE_IN = env.choice("GENERATE_IN", "web", "dedicated")  # dedicated: `manage.py generate` runs answers, the web only shows them
WEB_THREADS = env.number("WEB_THREADS", 4, least=1)  # threads that run requests; open streams hold none
DATABASES = {"default": backends.database(env.text("DATABASE_URL"), DATA_DIR, threads=WEB_THREADS + 5)}
CHANNEL_LAYERS = {
    "default": backends.channel_layer(
        env.text("REDIS_URL"), DATABASES["default"], site=SECRET_KEY, is_shared=WEB_PROCESSES > 1 or GENERATE_IN == "dedicated"
    )
}

INSTALLED_APPS = [
    "daphne",
    "conversations",
    "allauth",
    "allauth.account",
    "channels",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "chatsite.compression.PageGZipMiddleware",
    "chatsite.heads.HeadMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "conversations.views.programs.TokenMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "chatsite.urls"
ASGI_APPLICATION = "chatsite.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "chatsite.accounts.ways_in",
            ],
        },
    }
]

LANGUAGE_CODE = "en"
FORMAT_MODULE_PATH = "chatsite.formats"
TIME_ZONE = env.time_zone("TIME_ZONE")
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = DATA_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Security. No inline code, no eval, nothing from elsewhere, on every page (docs/decisions/0006).
SECURE_CSP = {
    "default-src": [CSP.SELF],
    "img-src": [CSP.SELF, "data:"],
    "object-src": [CSP.NONE],
    "base-uri": [CSP.NONE],
    "form-action": [CSP.SELF],
    "frame-ancestors": [CSP.NONE],
}
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
HTTPS = env.flag("HTTPS")  # the site is reached over https, through a proxy that sets X-Forwarded-Proto
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = env.number("HSTS_SECONDS", 86_400) if HTTPS else 0  # nobody can take back what browsers were told for so long
SECURE_HSTS_INCLUDE_SUBDOMAINS, SECURE_HSTS_PRELOAD = env.flag("HSTS_SUBDOMAINS"), env.flag("HSTS_PRELOAD")
SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W005", "security.W021"]  # HSTS for other names and for ever is the host's to ask for
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "conversations.views.errors.csrf_failure"
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024  # bytes of a form; a prompt has its own, smaller limit
IMPORT_MAX_MB = env.number("IMPORT_MAX_MB", 200, least=1)
BODY_LIMITS = {"/imports": (IMPORT_MAX_MB + 1) * 2**20}  # bytes of a whole request, where they are more than those of a form

# People
AUTHENTICATION_BACKENDS = ["chatsite.accounts.AccountBackend"]
SESSION_ENGINE = "chatsite.sessions"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "chatsite.accounts.AccountAdapter"
CACHES = {  # attempts to log in are counted here, in each process; of Django's own 300 entries a flood would push out those that matter
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "OPTIONS": {"MAX_ENTRIES": 50_000}}
}
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", 0)  # how many stand in front and write who asked into X-Forwarded-For
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
SIGNUP_OPEN = env.choice("SIGNUP", "closed", "open") == "open"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = SIGNUP_OPEN  # the mail to an address that nobody has invites to sign up
MAILERS = {"default": env.mailer()}
MAILS_ARE_SENT = bool(env.text("EMAIL_HOST"))
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "chat@localhost")

# Conversations
TRASH_DAYS = env.number("TRASH_DAYS", 30)  # how long what was deleted can be had back; `manage.py purge` then removes it for good

# Read at a start where they are needed; what is wrong with them is said at each.
env.address("OPENAI_BASE_URL")
env.raw("ADMIN_PASSWORD")

# Answers
PROMPT_MAX_CHARACTERS = 200_000
JOURNAL_INTERVAL = 0.04  # seconds between two commits of the journal; more under load (generation/journal.py)
REQUESTS_PER_MINUTE = env.number("REQUESTS_PER_MINUTE", 60)  # of one person, by pages and programs together; 0: no limit
ANSWERS_AT_ONCE = env.number("ANSWERS_AT_ONCE", 10)
LEASE_SECONDS, HEARTBEAT_SECONDS = env.lease()
TITLES = env.choice("TITLES", "auto", "off")  # auto: a model names each new conversation after its first answer
TOOLS: dict[str, dict[str, Any]] = {  # what models may be allowed to call (docs/tools.md)
    "current_time": {"TOOL": "conversations.tools.clock.current_time"},
    "calculator": {"TOOL": "conversations.tools.calculator.calculator"},
    "search_conversations": {"TOOL": "conversations.tools.search.search_conversations"},
}
for name in env.words("TOOLS_NEED_APPROVAL"):
    TOOLS.setdefault(name, {})["NEEDS_APPROVAL"] = True  # of a tool that is none the check says so
TOOL_ROUNDS = env.number("TOOL_ROUNDS", 8, least=1)  # how often a model may call tools in one answer
SHUTDOWN_GRACE_SECONDS = env.number("SHUTDOWN_GRACE_SECONDS", 5)  # how long answers may finish after SIGTERM

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "filters": {"refusals": {"()": "chatsite.logs.Refusals"}, "outages": {"()": "chatsite.logs.Outages"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["refusals", "outages"]}},
    "root": {"handlers": ["console"], "level": env.choice("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR", "CRITICAL")},
    "loggers": {
        "daphne": {"level": "WARNING"},
        "httpx2": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
