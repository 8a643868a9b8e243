/**
 * Runs one function as FunctionGraph's Node.js runtime does: `node functiongraph-runtime.cjs {bundle} {export}`. Plain
 * CommonJS for Node 20. Invocations come as messages, { id, event, context }, and are answered with { id, payload } or
 * { id, error }.
 */
const MAX_PAYLOAD_BYTES = 6 * 1024 * 1024;

const [, , bundle, exported] = process.argv;

process.on('unhandledRejection', (error) => {
  console.error(error);
  process.exit(1);
});

const begun = performance.now();
const handler = require(bundle)[exported];
const importMillis = performance.now() - begun;
if (typeof handler !== 'function') throw new Error(`${exported} is not a function.`);
// The runtime tells the forms of handlers apart so: one with fewer parameters gets no context.
if (handler.length !== 2 && handler.length !== 3) throw new Error(`The handler declares ${handler.length} parameters.`);

const contextOf = ({ requestId, timeoutMillis, keys, userData, projectId }) => {
  const end = Date.now() + timeoutMillis;
  return {
    getRequestID: () => requestId,
    getRemainingTimeInMilliSeconds: () => end - Date.now(),
    getSecurityAccessKey: () => keys?.ak,
    getSecuritySecretKey: () => keys?.sk,
    getSecurityToken: () => keys?.securityToken,
    getUserData: (key) => userData[key],
    getProjectID: () => projectId,
    getFunctionName: () => 'function',
    getVersion: () => 'latest',
    getLogger: () => console,
  };
};

async function invoke(event, context) {
  const running = handler(event, contextOf(context));
  if (typeof running?.then !== 'function') throw new Error('The handler returned no promise.');
  const result = await running;
  const payload = typeof result === 'string' ? result : (JSON.stringify(result) ?? '');
  if (Buffer.byteLength(payload) > MAX_PAYLOAD_BYTES) throw new Error('The answer is larger than 6 MB.');
  return payload;
}

process.on('message', ({ id, event, context }) => {
  invoke(event, context).then(
    (payload) => process.send({ id, payload }),
    ({ message, name, stack = '' }) =>
      process.send({ id, error: { errorMessage: message, errorType: name, stackTrace: stack.split('\n') } }),
  );
});
process.on('disconnect', () => process.exit());
process.send({ node: process.version, importMillis, handlerLength: handler.length });
