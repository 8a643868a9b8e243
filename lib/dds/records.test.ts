import { describe, expect, it } from 'vitest';
import { DAY } from '../time.ts';
import { identify, readBackup, readInstance } from './records.ts';

const BARE = { id: 'b', name: 'nightly', instance_id: 'i' };
const READ = { ...BARE, status: 'UNKNOWN', description: '' };

/** As JSON may have it. */
const UNPRINTABLE = { toString: null };

describe('readBackup', () => {
  it('complete record → every field, and the record itself', () => {
    const record = {
      ...BARE,
      instance_name: 'orders',
      datastore: { type: 'DDS-Community', version: '4.4' },
      type: 'Manual',
      begin_time: '2026-03-01 11:00:00',
      end_time: '2026-03-01 11:30:00',
      status: 'COMPLETED',
      size: 2803,
      description: 'release 7',
    };
    expect(readBackup(record)).toStrictEqual({
      ...BARE,
      instance_name: 'orders',
      type: 'Manual',
      beganAt: Date.parse('2026-03-01T11:00:00Z'),
      endedAt: Date.parse('2026-03-01T11:30:00Z'),
      status: 'COMPLETED',
      sizeKb: 2803,
      description: 'release 7',
      verbatim: record,
    });
  });

  it('only what a record must have → the rest is missing', () => {
    expect(readBackup(BARE)).toStrictEqual({ ...READ, verbatim: BARE });
  });

  it.each<[field: string, value: unknown, read: object]>([
    ['instance_name', null, {}],
    ['instance_name', '', {}],
    ['instance_name', 7, {}],
    ['type', 'auto', { type: 'Auto' }],
    ['type', 'MANUAL', { type: 'Manual' }],
    ['type', 'Incremental', {}],
    ['type', null, {}],
    ['type', UNPRINTABLE, {}],
    ['status', 'completed', { status: 'COMPLETED' }],
    ['status', null, {}],
    ['status', '', {}],
    ['status', 7, {}],
    ['begin_time', '', {}],
    ['begin_time', null, {}],
    ['begin_time', 'soon', {}],
    ['end_time', '1970-01-02 00:00:00', { endedAt: DAY }],
    ['end_time', '1970-01-01 00:00:00', {}],
    ['end_time', null, {}],
    ['size', '2803', { sizeKb: 2803 }],
    ['size', 0, { sizeKb: 0 }],
    ['size', -1, {}],
    ['size', '', {}],
    ['size', ' ', {}],
    ['size', 'large', {}],
    ['size', 'Infinity', {}],
    ['size', null, {}],
    ['size', UNPRINTABLE, {}],
    ['description', null, {}],
    ['description', 7, {}],
  ])('%s of %j → %j', (field, value, read) => {
    const record = { ...BARE, [field]: value };
    expect(readBackup(record)).toStrictEqual({ ...READ, ...read, verbatim: record });
  });

  it.each<[record: unknown, field: string, id?: string]>([
    [null, 'id'],
    [7, 'id'],
    ['b', 'id'],
    [[], 'id'],
    [{ ...BARE, id: '' }, 'id'],
    [{ ...BARE, id: 7 }, 'id'],
    [{ ...BARE, name: null }, 'name', 'b'],
    [{ ...BARE, name: '' }, 'name', 'b'],
    [{ id: 'b', name: 'nightly' }, 'instance_id', 'b'],
    [{ ...BARE, instance_id: 7 }, 'instance_id', 'b'],
  ])('%j → unreadable for its %s', (record, field, id) => {
    expect(readBackup(record)).toStrictEqual({ list: 'backups', ...(id !== undefined && { id }), field });
  });
});

describe("readBackup: of one instance's list", () => {
  it.each([undefined, null])('instance_id %j → that of the list', (instance_id) => {
    expect(readBackup({ ...BARE, instance_id }, 'asked-for')).toMatchObject({ instance_id: 'asked-for' });
  });

  it('another instance_id → as listed', () => {
    expect(readBackup(BARE, 'asked-for')).toMatchObject({ instance_id: 'i' });
  });
});

describe('readInstance', () => {
  const NO_TAGS = new Map<string, string>();

  it.each<[record: unknown, read: object]>([
    [
      { id: 'i', name: 'orders', status: 'normal', created: '2019-01-17T07:05:52' },
      { id: 'i', name: 'orders', status: 'normal', createdAt: Date.parse('2019-01-17T07:05:52Z'), tags: NO_TAGS },
    ],
    [{ id: 'i' }, { id: 'i', tags: NO_TAGS }],
    [
      { id: 'i', name: '', status: null, created: 'soon', tags: null },
      { id: 'i', tags: NO_TAGS },
    ],
    [
      { id: 'i', name: 7, status: 7, created: 5, tags: {} },
      { id: 'i', tags: NO_TAGS },
    ],
    [{ name: 'orders' }, { list: 'instances', field: 'id' }],
    [null, { list: 'instances', field: 'id' }],
  ])('%j → %j', (record, read) => {
    expect(readInstance(record)).toStrictEqual(read);
  });

  it('tags → by key; those that cannot be read are left out', () => {
    const tags = [
      { key: 'env', value: 'prod' },
      { key: 'empty', value: '' },
      { key: 'none' },
      { key: 'number', value: 7 },
      { key: 'unprintable', value: UNPRINTABLE },
      { value: 'x' },
      null,
      'x',
    ];
    expect(readInstance({ id: 'i', tags })).toMatchObject({
      tags: new Map([
        ['env', 'prod'],
        ['empty', ''],
        ['none', ''],
        ['number', '7'],
        ['unprintable', ''],
      ]),
    });
  });
});

describe('identify', () => {
  it.each<[record: unknown, key: string]>([
    [{ id: 'b', name: 'x' }, 'b'],
    [{ id: 7 }, '{"id":7}'],
    [{ name: 'x' }, '{"name":"x"}'],
    [null, 'null'],
  ])('%j → %s', (record, key) => {
    expect(identify(record)).toBe(key);
  });
});
