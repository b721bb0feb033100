"""What differs when a function runs again, by dotted name, and what to write in its place."""

from dataclasses import dataclass

_STEP = "do it inside a step, whose recorded result replay returns"


@dataclass(frozen=True)
class Rule:
    """`id` as Django's system checks name it, `problem` the end of a sentence that begins with the call, `instead` in ours,
    `instead_for_aws` where the context is AWS's and has none of our additions."""

    id: str
    problem: str
    instead: str
    instead_for_aws: str = _STEP


CLOCK = Rule("durable.W001", "reads the clock, which tells another time on every replay", f"use context.now(), or {_STEP}")
CHANCE = Rule("durable.W002", "gives another value on every replay", f"use context.uuid() or context.random(), or {_STEP}")
NETWORK = Rule("durable.W003", "talks to the network again on every replay", _STEP)
DATABASE = Rule("durable.W004", "uses the database, which may answer otherwise on replay, and repeats what it writes", _STEP)
CACHE = Rule("durable.W004", "uses the cache, which may answer otherwise on replay", _STEP)
SLEEP = Rule("durable.W005", "holds the worker's thread, and sleeps again on every replay", "use context.wait()", "use context.wait()")
THREAD = Rule(
    "durable.W006", "starts work that replay starts again and that may outlive the invocation",
    "use context.parallel() or context.map()", "use context.parallel() or context.map()",
)  # fmt: skip
FILE = Rule("durable.W007", "uses files, which may differ on replay and on another worker", _STEP)
ENVIRONMENT = Rule(
    "durable.W008", "reads the environment, which differs between workers and deploys", f"read it at import or from the event, or {_STEP}"
)
STATE = Rule(
    "durable.W009", "changes a variable that replay does not restore", "hand values on as results of operations",
    "hand values on as results of operations",
)  # fmt: skip
ORDER = Rule(
    "durable.W010", "has no fixed order, so replay may meet the durable calls in another one", "use sorted(...)", "use sorted(...)"
)
EFFECT = Rule("durable.W011", "has an effect outside that is repeated on every replay", _STEP)
START = Rule("durable.W011", "starts another execution on every replay", "use context.invoke(), or start it inside a step")

# These only compute a value: as an argument of a log call they change nothing but the line.
VALUES_ONLY = (CLOCK, CHANCE, ENVIRONMENT)


def _names(prefix: str, words: str) -> list[str]:
    return [f"{prefix}.{word}" for word in words.split()]


_HTTP = "get post put patch delete head options request"
_FUNCTIONS: dict[Rule, list[str]] = {
    CLOCK: [
        *_names("time", "time time_ns monotonic monotonic_ns perf_counter perf_counter_ns process_time process_time_ns"),
        *_names("datetime.datetime", "now utcnow today"),
        *_names("datetime.date", "today"),
        *_names("django.utils.timezone", "now localdate"),
        *_names("pendulum", "now today"),
        *_names("arrow", "now utcnow"),
    ],
    CHANCE: [
        *_names("uuid", "uuid1 uuid4 uuid6 uuid7 getnode"),
        *_names("os", "urandom getrandom getpid"),
        "django.utils.crypto.get_random_string",
    ],
    NETWORK: [
        *_names("requests", _HTTP),
        *_names("httpx", f"{_HTTP} stream"),
        *_names("urllib.request", "urlopen urlretrieve"),
        *_names("socket", "create_connection gethostbyname getaddrinfo"),
        "urllib3.request",
    ],
    DATABASE: [
        *_names("django.shortcuts", "get_object_or_404 get_list_or_404"),
        *_names("django.db.connection", "cursor"),
        *_names("django.db.transaction", "atomic on_commit commit rollback set_autocommit"),
        *_names("psycopg", "connect"),
        *_names("psycopg2", "connect"),
        *_names("sqlite3", "connect"),
    ],
    CACHE: _names("django.core.cache.cache", "get set add incr decr delete touch clear get_or_set get_many set_many delete_many has_key"),
    SLEEP: [*_names("time", "sleep"), *_names("asyncio", "sleep")],
    THREAD: [
        *_names("threading", "Thread Timer"),
        *_names("concurrent.futures", "ThreadPoolExecutor ProcessPoolExecutor"),
        *_names("multiprocessing", "Process Pool"),
        *_names("multiprocessing.pool", "ThreadPool"),
        "_thread.start_new_thread",
        *_names("subprocess", "run Popen call check_call check_output"),
        *_names("os", "system fork"),
    ],
    FILE: [
        *_names("builtins", "open input"),
        *_names("os", "remove unlink rename replace mkdir makedirs rmdir listdir scandir stat"),
        *_names("os.path", "exists isfile isdir getmtime getsize"),
        *_names("shutil", "copy copyfile copy2 copytree move rmtree"),
        *_names("glob", "glob iglob"),
        *_names("tempfile", "NamedTemporaryFile TemporaryFile TemporaryDirectory mkstemp mkdtemp"),
    ],
    ENVIRONMENT: ["os.getenv", "os.environ.get"],
    EFFECT: [*_names("django.core.mail", "send_mail send_mass_mail mail_admins mail_managers")],
}
FUNCTIONS = {name: rule for rule, names in _FUNCTIONS.items() for name in names}

# These read the clock only when they are told no time.
CLOCK_WITHOUT_ARGUMENTS = frozenset([*_names("time", "localtime gmtime ctime asctime"), *_names("django.utils.timezone", "localtime")])
# Every function of these modules draws, but for the ones named; with a seed the generators are the author's own affair.
CHANCE_MODULES = ("random.", "secrets.", "numpy.random.")
NO_CHANCE = frozenset({"secrets.compare_digest"})
SEEDED = frozenset({"random.Random", "numpy.random.default_rng", "numpy.random.RandomState"})

# Making one is harmless; its methods talk to the network.
CLIENTS = frozenset(
    [
        *_names("boto3", "client resource Session session.Session"),
        *_names("requests", "Session session"),
        *_names("httpx", "Client AsyncClient"),
        *_names("urllib3", "PoolManager"),
        *_names("socket", "socket"),
        *_names("http.client", "HTTPConnection HTTPSConnection"),
        *_names("aiohttp", "ClientSession"),
        *_names("redis", "Redis StrictRedis from_url Redis.from_url"),
        *_names("smtplib", "SMTP SMTP_SSL"),
        *_names("openai", "OpenAI"),
        *_names("anthropic", "Anthropic"),
    ]
)
CLIENT_MAKERS = frozenset({"client", "resource"})  # of a boto3 Session
QUIET_CLIENT_METHODS = frozenset({"close", "mount", "can_paginate", "get_paginator", "get_waiter", "settimeout"})
PATH_METHODS = frozenset(
    {"read_text", "read_bytes", "write_text", "write_bytes", "open", "unlink", "mkdir", "touch", "iterdir", "glob", "exists", "is_file"}
)

MODEL_METHODS = frozenset({"save", "asave", "delete", "adelete", "refresh_from_db", "arefresh_from_db"})
MANAGERS = frozenset({"objects", "_default_manager", "_base_manager"})
ONE_ROW = frozenset({"get", "create", "first", "last", "earliest", "latest"})

# What the SDK calls so, whichever package it is imported from.
BODY_NOT_REPLAYED = frozenset({"durable_step", "durable_wait_for_callback"})
BODY_REPLAYED = frozenset({"durable_with_child_context", "durable_parallel_branch", "durable_execution"})
TRANSPARENT = frozenset({"staticmethod", "classmethod", "cache", "lru_cache", "wraps", "atomic", "contextmanager", "override"})
BRANCHING = frozenset({"run_in_child_context", "map", "parallel"})
CONTEXT_NAMES = frozenset({"context", "ctx", "child", "child_context", "child_ctx", "durable_context", "durable_ctx"})
CALLS_ITS_ARGUMENT = frozenset({"sorted", "min", "max", "map", "filter", "any", "all", "sum", "next", "list", "tuple"})
KEEPS_ORDER = frozenset({"list", "tuple", "enumerate", "iter", "reversed", "zip", "map", "filter"})
SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
MUTATORS = frozenset(
    {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "remove", "discard", "clear", "appendleft"}
)
CONTAINERS = frozenset({"list", "dict", "set", "defaultdict", "Counter", "deque", "OrderedDict"})
LOG_METHODS = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log"})
