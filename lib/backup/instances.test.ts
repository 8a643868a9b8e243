import { describe, expect, it } from 'vitest';
import { groupByInstance, parseSelector, selects } from './instances.ts';

const ID = 'a89dab5e39394eccbdb77b19d57b0180in02';

describe('parseSelector', () => {
  it.each([
    ['all', { kind: 'all' }],
    [ID, { kind: 'ids', ids: new Set([ID]) }],
    [`${ID},b-1, c`, { kind: 'ids', ids: new Set([ID, 'b-1', 'c']) }],
    ['tag:backup=nightly', { kind: 'tag', key: 'backup', value: 'nightly' }],
    ['tag:backup=', { kind: 'tag', key: 'backup', value: '' }],
    ['tag:a:b=c=d', { kind: 'tag', key: 'a:b', value: 'c=d' }],
  ])('%s → %j', (text, selector) => {
    expect(parseSelector(text)).toEqual(selector);
  });

  it.each([
    '',
    ' ',
    'all,',
    'a,,b',
    'a b',
    'a;b',
    'tag:',
    'tag:=x',
    'tag:backup',
    'tag:a b=c',
    'tag:a=b,c=d',
    'tag:a=b,all',
    `${'x'.repeat(65)}`,
    'instance_1',
  ])('%j → undefined', (text) => {
    expect(parseSelector(text)).toBeUndefined();
  });
});

describe('selects', () => {
  const instance = { id: 'a', tags: new Map([['backup', 'nightly']]) };

  it.each([
    ['all', true],
    ['a', true],
    ['b,a', true],
    ['b', false],
    ['tag:backup=nightly', true],
    ['tag:backup=Nightly', false],
    ['tag:backup=', false],
    ['tag:other=nightly', false],
  ])('%s → %s', (text, expected) => {
    const selector = parseSelector(text);
    if (!selector) throw new Error('no selector');
    expect(selects(selector, instance)).toBe(expected);
  });

  it('a tag without a value → selected by the empty value', () => {
    expect(selects({ kind: 'tag', key: 'k', value: '' }, { id: 'a', tags: new Map([['k', '']]) })).toBe(true);
    expect(selects({ kind: 'tag', key: 'k', value: '' }, { id: 'a', tags: new Map() })).toBe(false);
  });
});

it('groupByInstance → what belongs to each, in the order given', () => {
  const groups = groupByInstance(['a1', 'b1', 'a2'], ([id = '']) => id);
  expect([...groups]).toEqual([
    ['a', ['a1', 'a2']],
    ['b', ['b1']],
  ]);
});
