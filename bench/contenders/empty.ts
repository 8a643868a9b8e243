/** (a) A handler that does nothing. */
export const handler = async (): Promise<object> => ({});
