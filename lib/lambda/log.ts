/** One JSON line. With Lambda's JSON log format an object becomes part of the line; elsewhere the line is made here. */
export function log(level: 'info' | 'warn' | 'error', entry: object): void {
  console[level](process.env.AWS_LAMBDA_LOG_FORMAT === 'JSON' ? entry : JSON.stringify(entry));
}
