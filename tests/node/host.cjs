// A host for handlers of AWS's JavaScript SDK: `node host.cjs PORT`. Lambda's Invoke in, the handler's answer out.
// The SDK finds the Lambda API by AWS_ENDPOINT_URL_LAMBDA and signs with the key in the environment.
const http = require("node:http");
const handlers = require("./handlers.cjs");

function contextOf(name, headers) {
  const deadline = Number(headers["lambda-runtime-deadline-ms"]);
  return {
    functionName: name,
    functionVersion: headers["lambda-runtime-invoked-function-arn"].split(":").pop(),
    invokedFunctionArn: headers["lambda-runtime-invoked-function-arn"],
    awsRequestId: headers["lambda-runtime-aws-request-id"],
    tenantId: headers["x-amz-tenant-id"],
    memoryLimitInMB: "1024",
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

async function invoke(request, body) {
  const name = request.url.split("/")[3];
  if (!(name in handlers)) return { status: 404, value: { Message: `no function ${name}` }, headers: {} };
  try {
    return { status: 200, value: await handlers[name](JSON.parse(body), contextOf(name, request.headers)), headers: {} };
  } catch (error) {
    const value = { errorMessage: String(error.message), errorType: error.name, stackTrace: String(error.stack).split("\n") };
    return { status: 200, value, headers: { "X-Amz-Function-Error": "Unhandled" } };
  }
}

http
  .createServer((request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      const { status, value, headers } = await invoke(request, Buffer.concat(chunks).toString());
      response.writeHead(status, { "Content-Type": "application/json", ...headers });
      response.end(JSON.stringify(value));
    });
  })
  .listen(Number(process.argv[2]), "127.0.0.1", () => console.log("hosting"));
