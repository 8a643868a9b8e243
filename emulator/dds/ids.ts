/** Ids in the form of the reference's samples, all drawn from one source of chance, so that a run can be replayed. */

export interface Ids {
  /** `bf9ee62a7f7044c583c6765c916c36edbr02` */
  backup(): string;
  /** `a03b1b8a-b756-467c-8a49-38720c3d23ec` */
  job(): string;
  /** `473a4370fbaf69e42f9da243eb8f8c52` */
  request(): string;
  /** A token of IAM; the real ones are longer. */
  token(): string;
}

/** @param random a number from 0 to below 1, as `Math.random` */
export function idSource(random: () => number): Ids {
  const hex = (digits: number): string => {
    let text = '';
    while (text.length < digits) text += Math.floor(random() * 16).toString(16);
    return text;
  };
  return {
    backup: () => `${hex(32)}br02`,
    job: () => `${hex(8)}-${hex(4)}-4${hex(3)}-8${hex(3)}-${hex(12)}`,
    request: () => hex(32),
    token: () => `MII${hex(64)}`,
  };
}
