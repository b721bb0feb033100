"""The intact protocol and its broken variants; each drops one guard."""

from enum import Enum


class Variant(Enum):
    INTACT = "intact"
    KEY_SHARE_FENCE = "the fence of a flush locks `for key share`"
    LOCK_AND_READ = "one statement takes the lock and reads operations and signals"
    WAKE_NOT_COMPARED = "suspend does not compare wake_seq"
    UNCONDITIONAL_CALLBACK = "a callback is completed without its condition"
    UNCHECKED_STOP = "stop does not check the status"
    OVERTAKING = "a later update overtakes a skipped one"
