// A refusal on its way out: the one exception of this server.
import type { Refusal } from "../../world/nas/refusals.ts";

export class Refused extends Error {
  override name = "Refused";
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.reason);
    this.refusal = refusal;
  }
}
