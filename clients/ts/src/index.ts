/**
 * Client of the veilpool program: instructions, accounts, derived addresses, refusals and events, generated from the
 * program's description (`verifier-program/idl/veilpool.json`), and the little that a description can't say.
 */
export * from "./generated/index.js";
export * from "./events.js";
export * from "./keys.js";
export * from "./tokens.js";
