"""`manage.py pause_schedules NAME ...`"""

from durable_ops.management.schedules import PausingCommand


class Command(PausingCommand):
    help = (
        "Pause schedules, by name or number: nothing fires, and what falls due meanwhile is not made up for. "
        "Exit code 1 when one of them was refused or does not exist."
    )
