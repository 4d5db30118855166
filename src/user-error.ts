/**
 * Something that the person who runs the deploy can mend: what is wrong, the value, and what to do, in one message.
 * Anything else that is thrown is a bug or an outage, and keeps its `cause`.
 */
export class UserError extends Error {
  override readonly name = "UserError";
}
