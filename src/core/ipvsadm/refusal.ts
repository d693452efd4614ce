/** Thrown inside the parser and caught by `parseArguments`: the line is wrong, and this is what to print. */
export class Refusal extends Error {
  override name = 'Refusal';
  /** Exit status: 2 for a check that failed, 255 for words that make no command. */
  readonly status: number;
  /** False when only this line of a `-R` input is given up. */
  readonly final: boolean;

  constructor(text: string, status = 2, final = true) {
    super(text);
    this.status = status;
    this.final = final;
  }
}

/** Thrown when a name must be looked up before the line can be understood. */
export class UnknownHost extends Error {
  override name = 'UnknownHost';
  readonly host: string;

  constructor(host: string) {
    super(`the address of ${host} is not known yet`);
    this.host = host;
  }
}
