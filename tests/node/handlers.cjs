// The functions of tests/remote/handlers.py in JavaScript; `marks` is a directory in which bodies leave a file each time they run.
const fs = require("node:fs");
const path = require("node:path");
const { withDurableExecution } = require("@aws/durable-execution-sdk-js");

function ran(event, name) {
  const folder = path.join(event.marks, name);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, String(process.hrtime.bigint())), "");
  return fs.readdirSync(folder).length;
}

const everything = withDurableExecution(async (event, context) => {
  const found = { step: await context.step("step", async () => ran(event, "step")) };
  found.retried = await context.step(
    "retried",
    async () => {
      const count = ran(event, "retried");
      if (count < 2) throw new Error("not yet");
      return count;
    },
    { retryStrategy: (error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: 1 } }) },
  );
  await context.wait("rest", { seconds: 1 });
  found.child = await context.runInChildContext("child", async (child) => child.step("inner", async () => 7));
  const batch = await context.map("map", [1, 2, 3], async (child, item) => child.step("times", async () => item * 10));
  found.map = batch.getResults();
  found.invoke = await context.invoke("invoke", "node-plain", { n: 20 });
  found.callback = await context.waitForCallback("ask", async (callbackId) => {
    ran(event, `callback-${callbackId}`);
  });
  return found;
});

const longStep = withDurableExecution(async (event, context) => {
  const first = await context.step("first", async () => ran(event, "first"));
  const second = await context.step("second", async () => {
    const count = ran(event, "second");
    while (count === 1 && !fs.existsSync(path.join(event.marks, "go-on"))) await new Promise((done) => setTimeout(done, 50));
    return count;
  });
  return { first, second, third: await context.step("third", async () => ran(event, "third")) };
});

// Above 6 MB the SDK records the result by itself. `size` is in bytes.
const large = withDurableExecution(async (event, context) => {
  await context.step("begin", async () => 1);
  return "x".repeat(event.size);
});

module.exports = {
  "node-large": large,
  "node-everything": everything,
  "node-long-step": longStep,
  "node-plain": async (event) => ({ doubled: event.n * 2 }),
};
