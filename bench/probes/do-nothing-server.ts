/** A server that ignores what a request says and answers as DDS does, or as EventBridge: `do-nothing-server.mjs [bus]`. */
import { createServer } from 'node:http';
import { report } from './lambda.ts';

const BACKUP = { job_id: '3711e2ad-5787-49bc-a47f-3f0b066af9f5', backup_id: '27a1a45a6c2d4bb1a9b0a4b0f8c0a7e5br02' };
/** As many entries as a call may have. */
const PUBLISHED = { FailedEntryCount: 0, Entries: Array(10).fill({ EventId: '3711e2ad-5787-49bc-a47f-3f0b066af9f5' }) };

const answer = JSON.stringify(process.argv[2] === 'bus' ? PUBLISHED : BACKUP);
const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answer) };

const server = createServer((request, response) => {
  request.resume().on('end', () => response.writeHead(200, headers).end(answer));
});
// A connection that a measurement left idle must not break in the next one.
server.keepAliveTimeout = 600_000;
server.listen(0, '127.0.0.1', 4096, () => {
  const address = server.address();
  report({ url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : address}` });
});
