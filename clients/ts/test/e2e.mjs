// A pool's life over JSON-RPC: published key, pool, deposit, operators, an epoch, and a claim that a relayer sends.
//
// Only the claim's proof is made elsewhere, since the prover is in Rust: verifier-program/idl/tests/typescript starts
// a local chain, proves the claim for what this script is going to do there, and calls it with a file that says so.
// What it saw is printed as JSON, and compared there with what the chain has.
import "./node18.mjs";

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

import {
  appendTransactionMessageInstructions,
  createKeyPairSignerFromPrivateKeyBytes,
  createSolanaRpc,
  createTransactionMessage,
  getBase16Encoder,
  getBase64EncodedWireTransaction,
  getSignatureFromTransaction,
  getU32Encoder,
  isSolanaError,
  pipe,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
  SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM,
  unwrapOption,
} from "@solana/kit";

import {
  fetchClaimFromSeeds,
  fetchEpochFromSeeds,
  fetchMaybeEpochFromSeeds,
  fetchOperatorFromSeeds,
  fetchPool,
  findKeyOfFile,
  findPoolPda,
  findShareMintPda,
  findTokenAccount,
  getClaimInstructionAsync,
  getCreateTokenAccountInstruction,
  getDepositInstructionAsync,
  getInitialisePoolInstructionAsync,
  getOpenEpochInstructionAsync,
  getPublishKeyInstruction,
  getRegisterOperatorInstructionAsync,
  parseEvents,
  VEILPOOL_ERROR__ALREADY_CLAIMED,
  VEILPOOL_ERROR__EPOCH_NOT_ENDED,
} from "../dist/index.js";

const COMPUTE_BUDGET = "ComputeBudget111111111111111111111111111111";
const EPOCH = 0;
const DEPOSIT = 1_000_000_000n;
const BOND = 5_000n;

const given = JSON.parse(readFileSync(process.argv[2], "utf8"));
const bytes = (hex) => new Uint8Array(getBase16Encoder().encode(hex));
const rpc = createSolanaRpc(given.rpc);
const config = { programAddress: given.program };
const [founder, relayer] = await Promise.all(
  [given.founder, given.relayer].map((seed) =>
    createKeyPairSignerFromPrivateKeyBytes(bytes(seed)),
  ),
);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function computeUnits(units) {
  return {
    programAddress: COMPUTE_BUDGET,
    data: new Uint8Array([2, ...getU32Encoder().encode(units)]),
  };
}

let sent = 0;

/** Sends instructions; gives the program's events when they have been carried out. */
async function send(payer, instructions) {
  const { value: blockhash } = await rpc.getLatestBlockhash().send();
  const message = pipe(
    createTransactionMessage({ version: 0 }),
    (message) => setTransactionMessageFeePayerSigner(payer, message),
    (message) =>
      setTransactionMessageLifetimeUsingBlockhash(blockhash, message),
    (message) =>
      appendTransactionMessageInstructions(
        // Never the same twice: a claim that is sent again within a slot must be another transaction.
        [computeUnits(600_000 + sent++), ...instructions],
        message,
      ),
  );
  const transaction = await signTransactionMessageWithSigners(message);
  const signature = getSignatureFromTransaction(transaction);
  const encoded = getBase64EncodedWireTransaction(transaction);
  await rpc.sendTransaction(encoded, { encoding: "base64" }).send();
  for (;;) {
    const { value } = await rpc.getSignatureStatuses([signature]).send();
    if (value[0]) {
      assert.equal(value[0].err, null);
      break;
    }
    await sleep(50);
  }
  const landed = await rpc
    .getTransaction(signature, {
      encoding: "base64",
      maxSupportedTransactionVersion: 0,
    })
    .send();
  return parseEvents(landed.meta.logMessages, config);
}

/** The number of the program's refusal of a transaction; it says so before the transaction lands. */
async function refusal(sending) {
  try {
    await sending;
  } catch (error) {
    const cause = error.cause ?? error;
    if (isSolanaError(cause, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM)) {
      return cause.context.code;
    }
    throw error;
  }
  assert.fail("it was not refused");
}

async function balance(holder) {
  const account = await findTokenAccount(holder, given.mint);
  const { value } = await rpc.getTokenAccountBalance(account).send();
  return BigInt(value.amount);
}

/** What the pool's account says. */
async function readPool(pool) {
  const { data } = await fetchPool(rpc, pool);
  return data;
}

const { mint } = given;
const [pool] = await findPoolPda({ mint, founder: founder.address }, config);
const verifyingKey = bytes(given.verifyingKey);
const [key] = await findKeyOfFile(verifyingKey, config);
const tokens = await findTokenAccount(founder.address, mint);

// Anybody publishes the verifying key once; pools and epochs name it.
await send(founder, [
  getPublishKeyInstruction({ payer: founder, key, file: verifyingKey }, config),
]);
await send(founder, [
  await getInitialisePoolInstructionAsync(
    {
      founder,
      mint,
      key,
      measurers: given.measurers.map(({ u, shiftedU }) => ({
        u: bytes(u),
        shiftedU: bytes(shiftedU),
      })),
      classes: given.classes,
      parameters: {
        bondAmount: BOND,
        // Long enough to try a claim before it ends, also on a busy machine.
        epochSeconds: 4,
        claimWindowSeconds: 600,
        cooldownSeconds: 900,
        challengeSeconds: 600,
        rateCap: 1_000_000n,
        outflowBps: 100,
        hubFeeCapBps: 1_000,
        slashRewardBps: 2_500,
        targetUtilisationBps: 5_000,
        minPrice: 1_000n,
        maxPrice: 1_000_000_000_000n,
      },
      timelockSeconds: 1_200,
      authority: founder.address,
      price: 500_000_000n,
      genesisHash: bytes(given.genesisHash),
    },
    config,
  ),
]);
const empty = await readPool(pool);
assert.equal(empty.rules.founder, founder.address);
assert.equal(empty.rules.mint, mint);
assert.equal(empty.measurers.length, 3);
assert.equal(empty.classes.length, given.classes.length);
assert.deepEqual(
  [empty.books.assets, empty.books.operators, empty.books.frozen],
  [0n, 0, false],
);

const [shareMint] = await findShareMintPda({ pool }, config);
const holder = founder.address;
const deposited = await send(founder, [
  await getCreateTokenAccountInstruction({
    payer: founder,
    holder,
    mint: shareMint,
  }),
  await getDepositInstructionAsync(
    {
      depositor: founder,
      pool,
      tokens,
      shares: await findTokenAccount(holder, shareMint),
      amount: DEPOSIT,
      minShares: 1n,
    },
    config,
  ),
]);
for (const commitment of given.commitments.map(bytes)) {
  await send(founder, [
    await getRegisterOperatorInstructionAsync(
      { bonder: founder, pool, tokens, commitment },
      config,
    ),
  ]);
}
const operator = await fetchOperatorFromSeeds(
  rpc,
  { pool, commitment: bytes(given.commitments[1]) },
  config,
);
assert.equal(operator.data.leafIndex, 1);
assert.equal(operator.data.bond, BOND);
assert.equal(unwrapOption(operator.data.exit), null);

const opened = await send(founder, [
  await getOpenEpochInstructionAsync(
    { payer: founder, pool, epochArg: EPOCH },
    config,
  ),
]);
const before = await readPool(pool);
const epoch = await fetchEpochFromSeeds(rpc, { pool, epoch: EPOCH }, config);
assert.equal(epoch.data.operators, given.commitments.length);
assert.equal(before.books.reserved, epoch.data.budget);
const next = await fetchMaybeEpochFromSeeds(
  rpc,
  { pool, epoch: EPOCH + 1 },
  config,
);
assert.equal(next.exists, false);

// The relayer alone signs: nothing of the operator's is in the transaction.
const { claim } = given;
const payout = claim.payout;
const relay = async () =>
  send(relayer, [
    await getCreateTokenAccountInstruction({
      payer: relayer,
      holder: payout,
      mint,
    }),
    await getCreateTokenAccountInstruction({
      payer: relayer,
      holder: relayer.address,
      mint,
    }),
    await getClaimInstructionAsync(
      {
        relayer,
        pool,
        key,
        payeeTokens: await findTokenAccount(payout, mint),
        relayerTokens: await findTokenAccount(relayer.address, mint),
        epochArg: EPOCH,
        class: claim.class,
        nullifier: bytes(claim.nullifier),
        payout,
        maxFee: BigInt(claim.maxFee),
        fee: BigInt(claim.fee),
        proof: bytes(claim.proof),
      },
      config,
    ),
  ]);
assert.equal(await refusal(relay()), VEILPOOL_ERROR__EPOCH_NOT_ENDED);
for (;;) {
  const slot = await rpc.getSlot().send();
  if ((await rpc.getBlockTime(slot).send()) >= epoch.data.endsAt) break;
  await sleep(100);
}
const claimed = await relay();
assert.equal(await refusal(relay()), VEILPOOL_ERROR__ALREADY_CLAIMED);

const after = await readPool(pool);
const record = await fetchClaimFromSeeds(
  rpc,
  { pool, epoch: EPOCH, nullifier: bytes(claim.nullifier) },
  config,
);
assert.equal(record.data.rentPayer, relayer.address);
const events = [...deposited, ...opened, ...claimed];
console.log(
  JSON.stringify(
    {
      pool,
      rate: epoch.data.rate,
      assetsBefore: before.books.assets,
      assetsAfter: after.books.assets,
      paid: await balance(payout),
      relayed: await balance(relayer.address),
      events: events.map((event) => event.__kind),
    },
    (_, value) => (typeof value === "bigint" ? value.toString() : value),
  ),
);
