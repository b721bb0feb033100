"""Bodies of handlers, with the rule that each breaks. `NAMES` is what stands above them in the file."""

NAMES = """
import asyncio, concurrent.futures, datetime as dt, functools, glob, os, random, secrets, shutil, socket, subprocess, threading, time
import urllib.request, uuid
from datetime import date, datetime, timedelta
from pathlib import Path
from random import choice, random as chance
from uuid import uuid4, uuid5

from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.db import connection, connections, transaction
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.crypto import get_random_string

from execution_engine import *

try:
    import boto3, httpx, requests
except ImportError:
    boto3 = httpx = requests = None

LOCK = threading.Lock()
TOTAL = 0
CLIENT = None
MODEL_CACHE = {}
if boto3:
    s3 = boto3.client("s3")
    table = boto3.resource("dynamodb").Table("orders")
"""

FLAGGED = [
    ("W001", "return datetime.now()"),
    ("W001", "return dt.datetime.utcnow()"),
    ("W001", "due = date.today() + timedelta(days=1)"),
    ("W001", "if time.time() > event['until']: return 1"),
    ("W001", "begun = time.monotonic()"),
    ("W001", "return timezone.now().isoformat()"),
    ("W001", "return time.strftime('%Y')"),
    ("W001", "return time.localtime().tm_hour"),
    ("W001", "import time as clock\nreturn clock.perf_counter()"),
    ("W001", "clock = time.time\nreturn clock()"),
    ("W001", "context.step('a', print, retry=datetime.now())"),
    ("W001", "name = f'report-{datetime.now():%Y}'\ncontext.step(name, work)"),
    ("W001", "return [datetime.now() for _ in range(3)]"),
    ("W001", "return sorted([1], key=lambda x: time.time())"),
    ("W001", "try:\n    context.wait(seconds=1)\nfinally:\n    ended = datetime.now()"),
    ("W001", "def helper():\n    return datetime.now()\nreturn helper()"),
    ("W001", "return stamp()\n\n\ndef stamp():\n    return datetime.now()"),
    ("W001", "return outer()\n\n\ndef outer():\n    return inner()\n\n\ndef inner():\n    return datetime.now()"),
    ("W001", "context.run_in_child_context('c', lambda child: datetime.now())"),
    ("W001", "context.run_in_child_context(group(1))\n\n\n@durable_with_child_context\ndef group(ctx, a):\n    return datetime.now()"),
    ("W001", "context.parallel([branch, branch])\n\n\ndef branch(ctx):\n    return time.time()"),
    ("W001", "context.parallel([ParallelBranch(lambda c: time.time(), name='a')])"),
    ("W001", "branches = []\nfor i in range(3):\n    branches.append(lambda c: time.time())\ncontext.parallel(branches)"),
    ("W001", "context.parallel([made(1)])\n\n\ndef made(i):\n    def run(ctx):\n        return time.time()\n    return run"),
    ("W001", "context.parallel([one()])\n\n\n@durable_parallel_branch('one')\ndef one(ctx):\n    return time.time()"),
    ("W001", "context.map([1], functools.partial(item, 3))\n\n\ndef item(extra, ctx, x, i, xs):\n    return time.time()"),
    ("W001", "context.map([1], lambda ctx, x, i, xs: time.time())"),
    ("W001", "each(context)\n\n\ndef each(outer: 'DurableContext'):\n    outer.map([1], lambda c, x, i, xs: time.time())"),
    ("W001", "with_retry(context, again, name='r')\n\n\ndef again(ctx, attempt):\n    return time.time()"),
    ("W002", "return uuid.uuid4()"),
    ("W002", "return str(uuid4())"),
    ("W002", "return random.randint(1, 6)"),
    ("W002", "return chance() < choice([1, 2])"),
    ("W002", "return random.Random().random()"),
    ("W002", "return secrets.token_hex()"),
    ("W002", "return os.urandom(8)"),
    ("W002", "return get_random_string(8)"),
    ("W003", "return requests.get(event['url']).json()"),
    ("W003", "return httpx.post('https://example.com')"),
    ("W003", "return urllib.request.urlopen('https://example.com').read()"),
    ("W003", "return socket.create_connection(('example.com', 80))"),
    ("W003", "s3.put_object(Bucket='b', Key='k', Body=b'')"),
    ("W003", "table.put_item(Item={})"),
    ("W003", "client = boto3.client('sqs')\nclient.send_message()"),
    ("W003", "return boto3.Session().client('sqs').send_message()"),
    ("W003", "with httpx.Client() as client:\n    return client.get('https://example.com').json()"),
    ("W003", "session = requests.Session()\nreturn session.get('https://example.com')"),
    ("W004", "return User.objects.get(pk=1).username"),
    ("W004", "return list(User.objects.filter(is_staff=True).values_list('id', flat=True))"),
    ("W004", "return get_user_model().objects.count()"),
    ("W004", "return User._default_manager.count()"),
    ("W004", "user = User(username='a')\nuser.save()"),
    ("W004", "with connection.cursor() as cursor:\n    cursor.execute('select 1')"),
    ("W004", "with connections['other'].cursor() as cursor:\n    pass"),
    ("W004", "return get_object_or_404(User, pk=1).username"),
    ("W004", "with transaction.atomic():\n    context.step(work)"),
    ("W004", "from shop.models import Cart\nreturn Cart.objects.count()"),
    ("W005", "time.sleep(3)"),
    ("W005", "asyncio.run(asyncio.sleep(3))"),
    ("W006", "threading.Thread(target=work).start()"),
    ("W006", "with concurrent.futures.ThreadPoolExecutor() as pool:\n    pool.submit(work)"),
    ("W006", "subprocess.run(['ls'])"),
    ("W007", "with open('out.txt', 'w') as file:\n    file.write('x')"),
    ("W007", "Path('out.txt').write_text('x')"),
    ("W007", "for name in os.listdir('.'):\n    context.step(name, work)"),
    ("W007", "shutil.rmtree('folder')"),
    ("W008", "return os.environ['STAGE']"),
    ("W008", "return os.getenv('STAGE') or os.environ.get('STAGE')"),
    ("W008", "name = os.environ['NAME']\ncontext.invoke('other', {}, name=name)"),
    ("W008", "context.step(os.environ['NAME'], work)"),
    ("W009", "global TOTAL\nTOTAL += 1"),
    ("W009", "count = 0\ndef body():\n    nonlocal count\n    count += 1\ncontext.step('count', body)\nreturn count"),
    ("W009", "found = []\ncontext.step('find', lambda: found.append(1))\nreturn found"),
    ("W009", "found = {}\ndef body():\n    found['a'] = 1\ncontext.step('find', body)\nreturn found.get('a')"),
    ("W009", "done = list()\ncontext.map([1], lambda c, x, i, xs: done.append(c.step(work)))\nreturn done"),
    ("W004", "from django.core.cache import cache\nreturn cache.get('rate')"),
    ("W010", "for name in {'a', 'b'}:\n    context.step(name, work)"),
    ("W010", "for name in set(event['names']):\n    handle(context, name)\n\n\ndef handle(context, name):\n    context.step(name, work)"),
    ("W010", "names = set(event['a']) - {'x'}\nfor i, name in enumerate(names):\n    context.wait(name, 1)"),
    ("W010", "context.map(list({'a', 'b'}), lambda c, x, i, xs: x)"),
    ("W010", "return [context.step(name, work) for name in frozenset('ab')]"),
    ("W010", "context.parallel([ParallelBranch(lambda c: 1, name=n) for n in {'a', 'b'}])"),
    ("W011", "send_mail('a', 'b', 'c@example.com', ['d@example.com'])"),
    ("W011", "other.start({})\n\n\n@durable_execution(name='other')\ndef other(event, context):\n    return 1"),
]

UNFLAGGED = [
    "return context.now(), context.uuid(), context.random()",
    "return context.step(lambda: datetime.now().isoformat())",
    "return context.step('id', uuid4)",
    "return context.step('id', lambda step: str(uuid.uuid4()))",
    "return context.step(fetch(event['url']))\n\n\n@durable_step\ndef fetch(step, url):\n    return requests.get(url).json()",
    "def body():\n    return User.objects.count()\nreturn context.step('count', body)",
    "return context.step('count', count_users)\n\n\ndef count_users(step):\n    return User.objects.count()",
    "return context.step(maker(3))\n\n\ndef maker(n):\n    def body(step):\n        return n + time.time()\n    return body",
    "return context.step(functools.partial(pause, 3))\n\n\ndef pause(n, step):\n    time.sleep(n)",
    "return context.step(name='x', func=lambda _: os.environ['STAGE'])",
    "context.run_in_child_context(lambda child: child.step(lambda: time.time()))",
    "context.map([1], lambda c, x, i, xs: c.step(lambda: requests.get('https://example.com')))",
    "context.parallel([lambda c: c.step(send)])\n\n\ndef send():\n    send_mail('a', 'b', 'c', ['d'])",
    "context.wait_for_callback(lambda id, ctx: requests.post('https://example.com', json=id), name='w')",
    "context.wait_for_callback(submit())\n\n\n@durable_wait_for_callback\ndef submit(id, ctx):\n    s3.put_object(Key=id)",
    "context.wait_for_condition(check, WaitForConditionConfig(lambda s, n: time.time(), 0))\n\n\ndef check(s, c):\n    return chance()",
    "client = boto3.client('s3')\nreturn context.step(lambda: client.list_buckets())",
    "session = requests.Session()\nreturn context.step(lambda: session.get('https://example.com').json())",
    "tbl = boto3.resource('dynamodb').Table('orders')\nreturn context.step(lambda: tbl.scan())",
    "context.logger.info('at %s', datetime.now())",
    "print(f'took {time.time()}')",
    "return datetime.fromisoformat(event['at']) + timedelta(days=1)",
    "return datetime(2026, 1, 1) < datetime.strptime(event['at'], '%Y')",
    "return uuid5(uuid.NAMESPACE_URL, event['url']), uuid.UUID(event['id'])",
    "return random.Random(event['seed']).random()",
    "return secrets.compare_digest(event['a'], event['b'])",
    "return time.strftime('%Y', time.gmtime(event['at'])), time.localtime(event['at'])",
    "def now():\n    return event['now']\nreturn now()",
    "return context.invoke(function_name=os.environ['TARGET'], payload=event, name='call')",
    "target = os.environ['TARGET']\nreturn context.invoke(target, {'a': 1})",
    "target = os.environ.get('TARGET', 'other')\nreturn context.invoke(target, event)",
    "time = event['time']\nreturn time.time()",
    "random = context.random\nreturn random()",
    "open = event.get\nreturn open('x')",
    "for name in sorted({'a', 'b'}):\n    context.step(name, work)",
    "seen = {'a', 'b'}\nreturn sum(1 for name in seen)",
    "for name in {'a': 1, 'b': 2}:\n    context.step(name, work)",
    "for name in dict.fromkeys(event['names']):\n    context.step(name, work)",
    "if event['name'] in {'a', 'b'}:\n    context.step('a', work)",
    "names = {'a', 'b'}\nnames = ['a', 'b']\nfor name in names:\n    context.step(name, work)",
    "def helper():\n    nonlocal_count = 0\n    return nonlocal_count\nreturn helper()",
    "count = 0\ndef add():\n    nonlocal count\n    count += 1\nadd()\nreturn count",
    "tries = 0\ndef body():\n    nonlocal tries\n    tries += 1\n    if tries < 2: raise ValueError\ncontext.step(body)",
    "found = []\nfound.append(context.step('find', work))\nreturn found",
    "def body():\n    found = []\n    found.append(1)\n    return found\nreturn context.step('find', body)",
    "context.step('find', lambda: MODEL_CACHE.update(a=1))\nreturn MODEL_CACHE",
    "kept = []\ncontext.step('find', lambda: kept.append(1))",
    "def branch(c):\n    parts = []\n    parts.append(c.step(work))\n    return parts\ncontext.parallel([branch])",
    "event.update(a=1)\nreturn context.step('a', lambda: event.pop('a'))",
    "def body():\n    global TOTAL\n    TOTAL += 1\ncontext.step('count', body)",
    "global TOTAL\nreturn TOTAL",
    "return shared()\n\n\ndef shared():\n    global CLIENT\n    if CLIENT is None:\n        CLIENT = object()\n    return 1",
    "return len(MODEL_CACHE.objects.filter(1)) if event.get('x') else 0",
    "objects = event['objects']\nreturn objects.get('a')",
    "order = event['order']\nreturn order.save() if hasattr(order, 'save') else 1",
    "return event['client'].get('https://example.com')",
    "def unused():\n    return datetime.now()\nreturn 1",
    "class Clock:\n    def now(self):\n        return datetime.now()\nreturn 1",
    "return datetime.now()  # durable: ok - only shown to people",
    "# durable: ok - only shown to people\nreturn datetime.now()",
    "return stamp()\n\n\ndef stamp():  # durable: ok - only shown to people\n    return datetime.now()",
    "return dict(\n    at=datetime.now(),  # durable: ok - not used\n)",
    "text = 'datetime.now()'\nreturn text",
    "return wrapped()\n\n\ndef as_step(f):\n    return lambda: 1\n\n\n@as_step\ndef wrapped():\n    return datetime.now()",
    "with LOCK:\n    return 1",
    "return [x for x in map(str, [1, 2])]",
    "return os.path.join('a', 'b'), os.environ",
    "return Path('a').name",
    "callback = context.create_callback('c', timeout=timedelta(days=1))\nreturn callback.result()",
    "handle = event\nreturn handle.start({}) if event.get('never') else None",
    "raise ExecutionError('no')",
    "return context.invoke('other', {'at': context.now().isoformat()})",
]
