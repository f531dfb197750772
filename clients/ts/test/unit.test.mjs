// Bytes as the Rust side makes them: vectors.json is written by the tests of verifier-program/idl.
import "./node18.mjs";

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import {
  AccountRole,
  createNoopSigner,
  getBase16Decoder,
  getBase16Encoder,
  getBase64Decoder,
  isNone,
  isOption,
  isSignerRole,
  isWritableRole,
} from "@solana/kit";
import * as client from "../dist/index.js";

const vectors = JSON.parse(
  readFileSync(new URL("vectors.json", import.meta.url), "utf8"),
);

const capital = (name) => name[0].toUpperCase() + name.slice(1);
const bytes = (hex) => getBase16Encoder().encode(hex);
const hex = (bytes) => getBase16Decoder().decode(bytes);

/** A decoded value as the vectors have it. */
function plain(value) {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return hex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (isOption(value)) return isNone(value) ? null : plain(value.value);
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(
      Object.entries(value).map(([name, field]) => [name, plain(field)]),
    );
  }
  return value;
}

/** Decodes all of the bytes, compares, encodes again. */
function roundTrip(vector, codec) {
  const data = bytes(vector.data);
  const [value, end] = codec.read(data, 0);
  assert.equal(end, data.length, `bytes of ${vector.name} are left over`);
  assert.deepEqual(plain(value), vector.value);
  assert.equal(hex(codec.encode(value)), vector.data);
  return value;
}

test("the program is the one that the vectors are of", () => {
  assert.equal(client.VEILPOOL_PROGRAM_ADDRESS, vectors.program);
});

test("every instruction's data and accounts are those of the Rust side", async () => {
  for (const vector of vectors.instructions) {
    const name = capital(vector.name);
    const value = roundTrip(vector, client[`get${name}InstructionDataCodec`]());
    const make =
      client[`get${name}InstructionAsync`] ?? client[`get${name}Instruction`];
    // Signers are given as such; an argument with the name of an account is given with another ending.
    const input = {};
    for (const { name, address, signer } of vector.accounts) {
      if (name in vector.given) {
        input[name] = signer ? createNoopSigner(address) : address;
      }
    }
    const accounts = new Set(vector.accounts.map(({ name }) => name));
    for (const [argument, given] of Object.entries(value)) {
      input[accounts.has(argument) ? `${argument}Arg` : argument] = given;
    }
    const made = await make(input);
    assert.equal(made.programAddress, vectors.program, name);
    assert.equal(hex(made.data), vector.data);
    assert.deepEqual(
      made.accounts.map(({ address, role }) => [
        address,
        isSignerRole(role),
        isWritableRole(role),
      ]),
      vector.accounts.map(({ address, signer, writable }) => [
        address,
        signer,
        writable,
      ]),
    );
    const kind = client.identifyVeilpoolInstruction(made);
    assert.equal(client.VeilpoolInstruction[kind], name);
    const parsed = client[`parse${name}Instruction`](made);
    assert.deepEqual(plain(parsed.data), vector.value);
  }
});

test("every account is read and written as on the Rust side", () => {
  for (const vector of vectors.accounts) {
    const name = capital(vector.name);
    roundTrip(vector, client[`get${name}Codec`]());
    const kind = client.identifyVeilpoolAccount(bytes(vector.data));
    assert.equal(client.VeilpoolAccount[kind], name);
  }
});

test("every event is read and written as on the Rust side", () => {
  for (const vector of vectors.events) {
    const { tag, ...fields } = vector.value;
    const value = { __kind: capital(vector.name), ...fields };
    assert.equal(Number.parseInt(vector.data.slice(0, 2), 16), tag);
    roundTrip({ ...vector, value }, client.getPoolEventCodec());
  }
});

test("events are found in logs, and only the program's own", () => {
  const data = (vector) =>
    `Program data: ${getBase64Decoder().decode(bytes(vector.data))}`;
  const [deposited, requested] = vectors.events;
  const program = vectors.program;
  const other = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
  const logs = [
    data(deposited),
    `Program ${program} invoke [1]`,
    "Program log: nothing",
    `Program ${other} invoke [2]`,
    data(deposited),
    `Program ${other} consumed 10 of 20 compute units`,
    `Program ${other} success`,
    data(requested),
    "Program data: //8=",
    "Program data: not base64!",
    `Program ${program} success`,
    data(deposited),
  ];
  const expected = ["WithdrawalRequested"];
  const found = client.parseEvents(logs);
  assert.deepEqual(
    found.map((event) => event.__kind),
    expected,
  );
  const elsewhere = client.parseEvents(logs, { programAddress: other });
  assert.deepEqual(
    elsewhere.map((event) => event.__kind),
    ["Deposited"],
  );
});

test("every refusal has the number of the Rust side, and says what to do", () => {
  for (const [name, code] of Object.entries(vectors.errors)) {
    const constant = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toUpperCase();
    assert.equal(client[`VEILPOOL_ERROR__${constant}`], code, constant);
    assert.match(client.getVeilpoolErrorMessage(code), /What to do: /);
  }
});

test("addresses are those of the program that is named", async () => {
  const vector = vectors.instructions.find(({ name }) => name === "openEpoch");
  const programAddress = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA";
  const { pool, payer } = vector.given;
  const made = await client.getOpenEpochInstructionAsync(
    { pool, payer: createNoopSigner(payer), epochArg: 7 },
    { programAddress },
  );
  const [epoch] = await client.findEpochPda(
    { pool, epoch: 7 },
    { programAddress },
  );
  assert.equal(made.programAddress, programAddress);
  assert.equal(made.accounts[2].address, epoch);
  assert.equal(made.accounts[2].role, AccountRole.WRITABLE);
});
