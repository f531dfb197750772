// Writes an input of the Semaphore v4 circuit of depth 20: a group of 1,000 members, the prover is the 7th.
//
//   node semaphore.mjs OUT.json
//
// The same bytes each time: identities come from numbered strings. The circuit wants the siblings padded to its depth,
// and field elements for message and scope (which Semaphore's library gets by hashing).
import { writeFileSync } from "node:fs";
import { Group } from "@semaphore-protocol/group";
import { Identity } from "@semaphore-protocol/identity";

const DEPTH = 20;
const identities = Array.from({ length: 7 }, (_, i) => new Identity(`veilpool benchmark member ${i}`));
const others = Array.from({ length: 993 }, (_, i) => BigInt(i + 1) << 64n);
const group = new Group([...identities.map((identity) => identity.commitment), ...others]);
const proof = group.generateMerkleProof(6);
const siblings = Array.from({ length: DEPTH }, (_, i) => (proof.siblings[i] ?? 0n).toString());

writeFileSync(process.argv[2], JSON.stringify({
  secret: identities[6].secretScalar.toString(),
  merkleProofLength: proof.siblings.length.toString(),
  merkleProofIndex: proof.index.toString(),
  merkleProofSiblings: siblings,
  scope: "1234567890",
  message: "9876543210",
}));
