/** Requests in a `.http` file: https://github.com/Huachao/vscode-restclient */

export interface FileRequest {
  readonly title: string;
  /** By which later requests refer to its answer. */
  readonly name: string | undefined;
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Reads the requests one by one.
 * @param answered what `{{name.response.body.member}}` stands for
 */
export function* requestsIn(file: string, answered: (name: string, member: string) => unknown): Generator<FileRequest> {
  const [preamble = '', ...sections] = file.split(/^### /m);
  const variables = new Map(Array.from(preamble.matchAll(/^@(\w+) = (.+)$/gm), ([, name, value]) => [name, value]));
  const fill = (text: string): string =>
    text.replaceAll(/\{\{(\w+)(?:\.response\.body\.(\w+))?\}\}/g, (whole, name, member) => {
      const value = member === undefined ? variables.get(name) : answered(name, member);
      if (typeof value !== 'string') throw new Error(`${whole} stands for nothing.`);
      return value;
    });
  for (const section of sections) {
    const [title = '', ...lines] = section.split('\n');
    const name = lines.flatMap((line) => /^# @name (\w+)$/.exec(line)?.[1] ?? [])[0];
    const [head = '', ...body] = fill(lines.filter((line) => !line.startsWith('#')).join('\n')).split('\n\n');
    const [first = '', ...fields] = head.split('\n');
    const [method = '', url = ''] = first.split(' ');
    const headers = fields.map((field) => field.split(': ', 2));
    yield {
      title,
      name,
      method,
      url: new URL(url),
      headers: Object.fromEntries(headers),
      body: body.join('\n\n').trim(),
    };
  }
}
