/** Verifying keys, which the chain names by the SHA-256 of their files. */
import type {
  Address,
  ProgramDerivedAddress,
  ReadonlyUint8Array,
} from "@solana/kit";

import { findKeyPda } from "./generated/pdas/index.js";

/** SHA-256 of a verifying key's file, by which pools and epochs name it. */
export async function keyDigest(file: ReadonlyUint8Array): Promise<Uint8Array> {
  return new Uint8Array(
    await crypto.subtle.digest("SHA-256", new Uint8Array(file)),
  );
}

/** Where a verifying key is, or will be when it is published. */
export async function findKeyOfFile(
  file: ReadonlyUint8Array,
  config?: { programAddress?: Address },
): Promise<ProgramDerivedAddress> {
  return findKeyPda({ digest: await keyDigest(file) }, config);
}
