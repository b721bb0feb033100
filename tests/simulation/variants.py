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
    HEARTBEAT_UNSEEN = "a claimed callback times out by what memory knows of its heartbeats"
    OWN_CLAIMS_SPARED = "a worker never takes over what it claimed itself, though it forgot it"
    BLIND_RESEND = "after a lost answer the entry is sent again without a look at the row"
    TOLD_AT_FLUSH = "suspend says what memory knows when it is written, not when the handler decided"
    PAUSE_FORGETS = "an invocation that a pause cut short is not owed again"
    WARM_UNCHECKED = "a worker goes on with what it remembers of an execution without comparing checkpoint_seq"
    WARM_UNREAD = "what the answer to a suspension says counts as read by the memory of it"
    NO_LAST_LOOK = "branches suspend without a last look at what a sibling was told"
