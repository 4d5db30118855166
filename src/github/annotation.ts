/** A line over the job: GitHub shows ten errors and ten warnings of a step, and cuts each at 4096 bytes. */
export interface Annotation {
  readonly title: string;
  readonly message: string;
}
