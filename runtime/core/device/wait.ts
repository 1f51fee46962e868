/**
 * Waits for something that the device promised. A browser needs only the promise; on Node a software driver loses a core to
 * the polling of the binding unless the host sleeps in between, so the host's way of waiting is handed in.
 */
export type Wait = <T>(promise: Promise<T>) => Promise<T>;

/** For hosts whose event loop sleeps by itself. */
export const plainWait: Wait = (promise) => promise;
