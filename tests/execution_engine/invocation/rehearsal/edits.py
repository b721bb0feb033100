"""Changes of the three functions that their open or finished executions do not survive."""

from dataclasses import dataclass

from execution_engine.invocation.rehearsal.findings import Change
from tests.execution_engine.invocation.rehearsal.flows import SOURCES


@dataclass(frozen=True)
class Edit:
    """`stage` is the first of the base's histories in which it must be found, `named` the operation that is named then."""

    title: str
    base: str
    stage: int
    old: str
    new: str
    change: Change
    named: str

    @property
    def source(self) -> str:
        before = SOURCES[self.base]
        assert before.count(self.old) == 1, (self.title, before.count(self.old))
        return before.replace(self.old, self.new)


CHANGED, REMOVED, INSERTED, TARGET, ITEMS = Change.CHANGED, Change.REMOVED, Change.INSERTED, Change.TARGET, Change.ITEMS
LOAD = '    order = context.step("load", lambda: {"id": event["id"], "items": 3})\n'
PRICE = '    total = context.step("price", lambda: order["items"] * 10)\n'
SHIP = '    for number in range(3):\n        context.step("ship", lambda: number)\n'
CONFIRM = '    confirmed = context.wait_for_callback(lambda callback_id, _: bodies.append(callback_id), "confirm")\n'
PAY = '    paid = context.invoke("pay", {"total": total}, name="charge")\n'
DEEP = '        grand.step("x", lambda: 1)\n        grand.wait("nap", 60)\n'
REPAIR = '        context.step("repair", lambda: "repaired")\n'
SIDES = '[ParallelBranch(left, name="left"), ParallelBranch(right, name="right")]'
ANSWER = '    answer = context.create_callback("answer")\n    context.step("ask", lambda: bodies.append(answer.callback_id))\n'

EDITS = [
    Edit("a step is renamed", "order", 0, '"price"', '"cost"', CHANGED, "price"),
    Edit("a step loses its name", "order", 0, 'step("price", lambda', "step(lambda", CHANGED, "price"),
    Edit("two steps change places", "order", 0, LOAD + PRICE, "    order = {'items': 3}\n" + PRICE + LOAD, CHANGED, "load"),
    Edit("a step is inserted in front", "order", 0, LOAD, '    context.step("trace", lambda: 1)\n' + LOAD, CHANGED, "load"),
    Edit("a step is inserted between", "order", 0, PRICE, '    context.step("tax", lambda: 1)\n' + PRICE, CHANGED, "price"),
    Edit("a step is removed", "order", 0, PRICE, "    total = 30\n", CHANGED, "price"),
    Edit("a condition flips", "order", 0, "total > 20", "total > 200", CHANGED, "check"),
    Edit("a step becomes a wait", "order", 0, 'context.step("check", lambda: True)', 'context.wait("check", 5)', CHANGED, "check"),
    Edit("a wait becomes a step", "order", 0, 'context.wait("cool-off", 60)', 'context.step("cool-off", lambda: 0)', CHANGED, "cool-off"),
    Edit(
        "a wait becomes a callback", "order", 0, 'context.wait("cool-off", 60)', 'context.create_callback("cool-off")', CHANGED, "cool-off"
    ),
    Edit("a wait becomes a signal", "order", 0, 'context.wait("cool-off", 60)', 'context.wait_for_signal("cool-off")', CHANGED, "cool-off"),
    Edit("a wait is removed", "order", 1, '    context.wait("cool-off", 60)\n', "", CHANGED, "cool-off"),
    Edit("a loop has fewer rounds", "order", 1, "range(3)", "range(2)", CHANGED, "ship"),
    Edit("a loop has more rounds", "order", 1, "range(3)", "range(4)", CHANGED, "confirm"),
    Edit(
        "a loop moves into a child context",
        "order",
        1,
        SHIP,
        '    context.run_in_child_context(lambda child: 1, "shipping")\n',
        CHANGED,
        "ship",
    ),
    Edit(
        "a loop becomes a map",
        "order",
        1,
        SHIP,
        '    context.map([0, 1, 2], lambda c, v, i, a: c.step("ship", lambda: v), "ships")\n',
        CHANGED,
        "ship",
    ),
    Edit("a loop's steps get their number", "order", 1, '"ship"', 'f"ship {number}"', CHANGED, "ship"),
    Edit(
        "a callback loses its submitter",
        "order",
        1,
        CONFIRM,
        '    confirmed = context.create_callback("confirm").result()\n',
        CHANGED,
        "confirm",
    ),
    Edit("a callback is renamed", "order", 1, '"confirm")', '"consent")', CHANGED, "confirm"),
    Edit("an invoke names another function", "order", 2, '"pay", {', '"refund", {', TARGET, "charge"),
    Edit("an invoke becomes a step", "order", 2, PAY, '    paid = context.step("charge", lambda: 1)\n', CHANGED, "charge"),
    Edit("an invoke is removed", "order", 2, PAY, "    paid = None\n", CHANGED, "charge"),
    Edit("a signal is renamed", "order", 2, '"go"', '"start"', CHANGED, "go"),
    Edit("the code ends early", "order", 2, CONFIRM, CONFIRM + '    return {"early": True}\n', REMOVED, "charge"),
    Edit("the code raises early", "order", 1, SHIP, '    raise KeyError("ship")\n', REMOVED, "ship"),
    Edit(
        "a finished function asks for more",
        "order",
        3,
        "    return {",
        '    context.step("mail", lambda: 1)\n    return {',
        INSERTED,
        "mail",
    ),
    Edit("the end of a branch is cut off", "batches", 1, '        child.wait("rest", 600)\n', "        return first\n", REMOVED, "rest"),
    Edit(
        "branches change places",
        "batches",
        1,
        SIDES,
        SIDES.replace("left", "?").replace("right", "left").replace("?", "right"),
        CHANGED,
        "left",
    ),
    Edit("a branch is renamed", "batches", 1, 'name="right"', 'name="other"', CHANGED, "right"),
    Edit("a branch is removed", "batches", 1, ', ParallelBranch(right, name="right")]', "]", REMOVED, "right"),
    Edit("an item is removed from an open map", "batches", 0, "[1, 2, 3]", "[1, 2]", REMOVED, "map-item-2"),
    Edit("an item is added to a finished map", "batches", 1, "[1, 2, 3]", "[1, 2, 3, 4]", ITEMS, "all"),
    Edit("a step inside an item is renamed", "batches", 0, '"double"', '"twice"', CHANGED, "double"),
    Edit("a map becomes flat", "batches", 0, 'item, "all")', 'item, "all", FLAT)', CHANGED, "map-item-0"),
    Edit(
        "a step moves in front of a callback",
        "batches",
        2,
        ANSWER,
        "\n".join(reversed(ANSWER.splitlines())).replace("answer.callback_id", "0") + "\n",
        CHANGED,
        "answer",
    ),
    Edit(
        "a step moves out of its context",
        "nested",
        0,
        '        first = child.step("a", lambda: 1)\n',
        '        first = context.step("a", lambda: 1)\n',
        REMOVED,
        "a",
    ),
    Edit(
        "a wait in a nested context comes first",
        "nested",
        0,
        DEEP,
        '        grand.wait("nap", 60)\n        grand.step("x", lambda: 1)\n',
        CHANGED,
        "x",
    ),
    Edit("a nested context ends early", "nested", 0, DEEP, '        grand.step("x", lambda: 1)\n        return 1\n', REMOVED, "nap"),
    Edit("a nested context is dissolved", "nested", 0, 'child.run_in_child_context(deep, "deep")', "deep(child)", CHANGED, "deep"),
    Edit("a context becomes virtual", "nested", 0, '(group, "group")', '(group, "group", VIRTUAL)', CHANGED, "group"),
    Edit("a virtual context becomes real", "nested", 1, '"virtual", VIRTUAL)', '"virtual")', CHANGED, "v"),
    Edit(
        "a virtual context is removed",
        "nested",
        1,
        'context.run_in_child_context(lambda child: child.step("v", lambda: 3), "virtual", VIRTUAL)',
        "3",
        INSERTED,
        "v",
    ),
    Edit(
        "a poll becomes a step",
        "nested",
        1,
        'context.wait_for_condition(lambda state, _: state + 1, POLL, "poll")',
        'context.step("poll", lambda: 2)',
        CHANGED,
        "poll",
    ),
    Edit("a failure is handled otherwise", "nested", 2, REPAIR, '        context.step("give up", lambda: 0)\n', CHANGED, "repair"),
    Edit("a failure is not handled any more", "nested", 2, REPAIR, "        raise\n", REMOVED, "repair"),
    Edit("a failure is passed over", "nested", 2, REPAIR, "        pass\n", CHANGED, "repair"),
]
