"""`manage.py resume_schedules NAME ...`"""

from durable_ops.management.schedules import PausingCommand


class Command(PausingCommand):
    help = (
        "Let paused schedules fire again, by name or number, from their next moment on. "
        "Exit code 1 when one of them was refused or does not exist."
    )
    is_paused = False
    done = "resumed"
