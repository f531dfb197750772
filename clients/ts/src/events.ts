/** Events: what a transaction's logs say that the program did. */
import { getBase64Encoder, type Address } from "@solana/kit";

import { VEILPOOL_PROGRAM_ADDRESS } from "./generated/programs/index.js";
import {
  getPoolEventDecoder,
  type PoolEvent,
} from "./generated/types/index.js";

const DATA = "Program data: ";

/**
 * The program's events among a transaction's log messages, in order. Data that other programs log in the same
 * transaction is left out, and so are events that this version doesn't know.
 */
export function parseEvents(
  logMessages: readonly string[],
  config?: { programAddress?: Address },
): PoolEvent[] {
  const program = config?.programAddress ?? VEILPOOL_PROGRAM_ADDRESS;
  const events: PoolEvent[] = [];
  // Programs that have begun and not ended: the last is the one that logs.
  const running: string[] = [];
  for (const line of logMessages) {
    const [, address, what] =
      /^Program (\w+) (invoke|success|failed)/.exec(line) ?? [];
    if (address && what === "invoke") {
      running.push(address);
    } else if (address) {
      running.pop();
    } else if (line.startsWith(DATA) && running.at(-1) === program) {
      const event = parseEvent(line.slice(DATA.length));
      if (event) events.push(event);
    }
  }
  return events;
}

function parseEvent(base64: string): PoolEvent | undefined {
  const decoder = getPoolEventDecoder();
  try {
    const bytes = getBase64Encoder().encode(base64);
    const [event, end] = decoder.read(bytes, 0);
    return end === bytes.length ? event : undefined;
  } catch {
    return undefined;
  }
}
