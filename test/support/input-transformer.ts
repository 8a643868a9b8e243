/** The input transformers of EventBridge, and the templates of Alertmanager and Grafana, as far as our samples use them. */
import { fieldsOf, parseJson } from '../../lib/json.ts';

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .filter((part) => part !== '$' && part !== '')
    .reduce<unknown>((inner, part) => fieldsOf(inner)[part], value);
}

/** Within quotes a text is inserted as it is, elsewhere as JSON. */
const fill = (template: string, lookUp: (name: string) => unknown): unknown =>
  JSON.parse(
    template.replaceAll(/"[^"]*"|<([^>]+)>/g, (whole, name) =>
      name === undefined
        ? whole.replaceAll(/<([^>]+)>/g, (_: string, inner: string) => String(lookUp(inner)))
        : JSON.stringify(lookUp(name)),
    ),
  );

/** Of the target of a rule: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html */
export const ruleInput = (event: unknown, paths: unknown, template: string): unknown =>
  fill(template, (name) => at(event, String(fieldsOf(paths)[name])));

/**
 * Of the target of a pipe. The body of a message may be JSON:
 * https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-input-transformation.html
 */
export function pipeInput(record: unknown, template: string): unknown {
  const { body, ...rest } = fieldsOf(record);
  const parsed = { ...rest, body: parseJson(String(body)) ?? body };
  return fill(template, (path) => at(parsed, path));
}

/** Go's templates: `{{ .A.B }}` and `{{ (index .A 0).B.Unix }}`. */
export const goTemplate = (template: string, data: unknown): string =>
  template.replaceAll(/\{\{ (?:\(index \.(\w+) (\d+)\))?([\w.]+) \}\}/g, (_, list, index, path) => {
    const start = list === undefined ? data : fieldsOf(fieldsOf(data)[list])[index];
    const [, member = '', unix] = /^(.*?)(\.Unix)?$/.exec(path) ?? [];
    // A label that is missing is the empty text.
    const value = at(start, member) ?? '';
    return String(unix === undefined ? value : Date.parse(String(value)) / 1000);
  });
