/** Asked every few seconds by machines: neither a line in the log nor a request served to anybody. */
const polled = new Set(["/health", "/status"]);

export const isPolled = (path: string): boolean => polled.has(path);
