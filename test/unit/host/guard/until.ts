/** Waits for a state, never for a time; says what it waited for when that does not come. */
export async function until(state: () => boolean, what: string, limit = 60_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!state()) {
    if (performance.now() > deadline) throw new Error(`waited ${limit / 1000} s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
