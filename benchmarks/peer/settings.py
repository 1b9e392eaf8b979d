"""The peer's Django settings: what the check needs, for production, and nothing that slows it.

From the environment: DATABASE_URL, REDIS_URL, CALLS_PER_SECOND (empty: calls are not counted).
"""

import os

from psycopg.conninfo import conninfo_to_dict

_database = conninfo_to_dict(os.environ["DATABASE_URL"])

SECRET_KEY = "of-the-benchmark"
DEBUG = False
ALLOWED_HOSTS = ["functions.example"]
ROOT_URLCONF = "check"
USE_TZ = True
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework.authtoken",
    "djstripe",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _database["dbname"],
        "USER": _database["user"],
        "PASSWORD": _database["password"],
        "HOST": _database["host"],
        "PORT": _database["port"],
        "OPTIONS": {"sslmode": "disable"},
        "CONN_MAX_AGE": None,
    }
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": os.environ["REDIS_URL"],
    }
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
if os.environ["CALLS_PER_SECOND"]:
    # A second, and not a minute: the throttle reads and writes the instants of all calls of its
    # period at each call, and a benchmark makes more of them in a minute than an app does.
    REST_FRAMEWORK |= {
        "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.UserRateThrottle"],
        "DEFAULT_THROTTLE_RATES": {"user": f"{os.environ['CALLS_PER_SECOND']}/second"},
    }
DJSTRIPE_FOREIGN_KEY_TO_FIELD = "id"
DJSTRIPE_WEBHOOK_VALIDATION = "verify_signature"
STRIPE_LIVE_MODE = False
STRIPE_TEST_SECRET_KEY = "sk_test_of_the_benchmark"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
