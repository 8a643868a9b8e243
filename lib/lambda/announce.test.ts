import { describe, expect, it } from 'vitest';
import { eventBuses } from '../../test/support/event-bus.ts';
import { type Announcement, eventBusAnnouncer } from './announce.ts';

const startBus = eventBuses();

const completed = (id: string): Announcement => ({
  type: 'DDS Backup Completed',
  time: new Date('2026-03-01T12:00:00Z'),
  detail: { id, size_kb: 2803 },
});

describe('announcing', () => {
  it('puts each announcement on the bus, with its type, time and detail', async () => {
    const { requests, client } = await startBus();
    await eventBusAnnouncer({ EVENT_BUS: 'orders' }, client)([completed('a')]);
    expect(requests).toEqual([
      {
        Entries: [
          {
            EventBusName: 'orders',
            Source: 'dds-backup-trigger',
            DetailType: 'DDS Backup Completed',
            Time: Date.parse('2026-03-01T12:00:00Z') / 1000,
            Detail: '{"id":"a","size_kb":2803}',
          },
        ],
      },
    ]);
  });

  it('asks nothing of the bus when there is nothing to say', async () => {
    const { requests, client } = await startBus();
    await eventBusAnnouncer({ EVENT_BUS: 'orders' }, client)([]);
    expect(requests).toHaveLength(0);
  });

  it('keeps to the ten entries that one request may hold, in order', async () => {
    const { requests, client } = await startBus();
    const ids = Array.from({ length: 21 }, (_, i) => `backup-${i}`);
    await eventBusAnnouncer({ EVENT_BUS: 'orders' }, client)(ids.map(completed));
    expect(requests.map(({ Entries }) => Entries.length)).toEqual([10, 10, 1]);
    expect(requests.flatMap(({ Entries }) => Entries.map(({ Detail }) => JSON.parse(Detail).id))).toEqual(ids);
  });

  it('fails when the bus takes only some, with its code', async () => {
    const { client } = await startBus(() => ({
      FailedEntryCount: 1,
      Entries: [{ EventId: 'e' }, { ErrorCode: 'InternalFailure', ErrorMessage: 'oops' }],
    }));
    await expect(eventBusAnnouncer({ EVENT_BUS: 'orders' }, client)(['a', 'b'].map(completed))).rejects.toMatchObject({
      name: 'AnnouncementFailed',
      message: 'The event bus orders did not take 1 of 2 events (InternalFailure).',
    });
  });

  it('fails without the name of a bus, and connects to none', async () => {
    const { requests, client } = await startBus();
    await expect(eventBusAnnouncer({}, client)([completed('a')])).rejects.toMatchObject({
      name: 'ConfigurationError',
      message: expect.stringContaining('EVENT_BUS'),
    });
    expect(requests).toHaveLength(0);
  });
});
