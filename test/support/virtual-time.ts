/** A clock that moves only by `advance`, and by what waits for it. */
export function virtualTime(start = '2026-03-01T12:00:00Z') {
  let millis = Date.parse(start);
  const waits: number[] = [];
  return {
    now: () => new Date(millis),
    advance: (by: number) => {
      millis += by;
    },
    wait: async (by: number) => {
      waits.push(by);
      millis += by;
    },
    /** What was waited for, in milliseconds. */
    waits,
  };
}
